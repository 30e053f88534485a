//! One team's Rampart on an ordinary morning.

use std::time::Duration;

use model::{Outcome, PermissionSet, Severity, Timestamp, own};

use crate::frame::{Around, FormToken, Frame, Look, Place, Plain};
use crate::pages::account::*;
use crate::pages::error::*;
use crate::pages::estate::*;
use crate::pages::gateway::*;
use crate::pages::identity::*;
use crate::pages::overview::*;
use crate::pages::settings::*;
use crate::pages::sign_in::*;
use crate::pages::trail::*;
use crate::ui::*;

mod records;
mod sight;

pub(super) use records::*;
pub(super) use sight::*;

const NOW: Timestamp = Timestamp::from_millis(1_772_524_800_000);

fn token() -> FormToken {
    FormToken::new("form-token".to_owned())
}

fn ago(seconds: u64) -> When {
    When::new(NOW.before(Duration::from_secs(seconds)), NOW)
}

fn ahead(seconds: u64) -> When {
    When::new(NOW.after(Duration::from_secs(seconds)), NOW)
}

fn around() -> Around {
    Around {
        estate: "shop".to_owned(),
        person: "Ada Okafor".to_owned(),
        held: own::built_in_role(own::ADMINISTRATOR).unwrap(),
        now: NOW.to_string(),
        look: Look::default(),
        token: token(),
        health: Badge::new(Tone::Ok, "All is well"),
    }
}

fn plain(title: &str) -> Plain {
    Plain::new(title, "shop", Look::default())
}

fn wave(scale: f64, base: f64) -> Vec<f64> {
    (0..60)
        .map(|i| {
            let i = f64::from(i);
            (base + scale * ((i / 7.0).sin() + 0.6 * (i / 3.1).cos() + 0.25 * (i * 1.7).sin()))
                .max(0.0)
        })
        .collect()
}

fn times() -> Vec<String> {
    (0..60).map(|i| format!("07:{i:02}")).collect()
}

fn traffic(id: &'static str) -> TimeChart {
    TimeChart::new(
        id,
        "Requests per second in the last hour",
        &times(),
        &[
            Series {
                name: "served",
                values: wave(9.0, 42.0),
                bad: false,
            },
            Series {
                name: "refused",
                values: wave(2.4, 2.2),
                bad: true,
            },
        ],
    )
}

pub(super) fn sign_in() -> PasswordPage {
    PasswordPage {
        plain: plain("Sign in"),
        token: token(),
        problem: None,
        wanted_by: Some("admin.shop.example".to_owned()),
        query: "?host=admin.shop.example&state=abc".to_owned(),
        login: String::new(),
    }
}

pub(super) fn sign_in_refused() -> PasswordPage {
    PasswordPage {
        problem: Some(Notice::new(
            Tone::High,
            "That did not work",
            "The name or the password is wrong. After several tries the next one has to wait.",
        )),
        wanted_by: None,
        login: "ada".to_owned(),
        ..sign_in()
    }
}

pub(super) fn sign_in_code() -> CodePage {
    CodePage {
        plain: plain("Enter your code"),
        token: token(),
        problem: None,
        second: Second::Code,
        query: String::new(),
    }
}

pub(super) fn sign_in_recovery() -> CodePage {
    CodePage {
        second: Second::Recovery,
        ..sign_in_code()
    }
}

pub(super) fn step_up() -> StepUpPage {
    StepUpPage {
        plain: plain("Confirm that it is you"),
        token: token(),
        problem: None,
        next: "/account/authenticator".to_owned(),
    }
}

pub(super) fn onward() -> OnwardPage {
    OnwardPage {
        plain: plain("Taking you on"),
        to: "https://admin.shop.example:8443/.rampart/callback?code=abc&state=def".to_owned(),
        place: "admin.shop.example".to_owned(),
    }
}

pub(super) fn enrol_password() -> EnrolPasswordPage {
    EnrolPasswordPage {
        plain: plain("Enrol"),
        token: token(),
        problem: None,
        action: "/enrol/abc/password".to_owned(),
        name: "Noor Haddad".to_owned(),
        login: "noor".to_owned(),
        length_min: 12,
    }
}

pub(super) fn enrol_totp() -> EnrolTotpPage {
    let picture = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA4IDgiPjxwYXRoIGQ9Ik0wIDBoM3YzSDB6TTUgMGgzdjNINXpNMCA1aDN2M0gwek00IDRoMXYxSDR6TTYgNWgxdjJINnoiLz48L3N2Zz4=";
    EnrolTotpPage {
        plain: plain("Authenticator"),
        token: token(),
        problem: None,
        action: "/enrol/abc/authenticator".to_owned(),
        picture: picture.to_owned(),
        manual: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP".to_owned(),
        copy: Copy::new("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "key"),
        enrolling: true,
    }
}

pub(super) fn recovery_codes() -> RecoveryCodesPage {
    let codes: Vec<_> = (0..10).map(|i| format!("k{i}tq-7m2x-p9wd")).collect();
    RecoveryCodesPage {
        plain: plain("Recovery codes"),
        copy: Copy::new(codes.join("\n"), "codes"),
        codes,
        onward: "/",
        onward_label: "I have kept them: go on",
        enrolling: true,
    }
}

fn tiles() -> Vec<Tile> {
    vec![
        Tile::new("Requests", "42.1", "last minute")
            .unit("/s")
            .live("rate")
            .spark(Sparkline::new(
                "Requests per second, last hour",
                &wave(9.0, 42.0),
            )),
        Tile::new("Refused", "2.3", "5.1 % of all")
            .unit("/s")
            .live("refused")
            .spark(Sparkline::new("Refused per second, last hour", &wave(2.4, 2.2)).bad()),
        Tile::new(
            "95 of 100 answered within",
            "18 ms",
            "p50 4.2 ms, p99 61 ms",
        )
        .live("p95"),
        Tile::new("Signed in now", "7", "11 people, 1 waits to enrol"),
    ]
}

fn change(text: &str, kind: &str, actor: &str, seconds: u64) -> Changed {
    Changed {
        text: text.into(),
        kind: kind.to_owned(),
        actor: actor.to_owned(),
        href: "/trail/evt_00000000000000000000000001".to_owned(),
        when: ago(seconds),
    }
}

#[expect(clippy::too_many_lines, reason = "one page's data")]
pub(super) fn overview() -> OverviewPage {
    OverviewPage {
        frame: Frame::top(around(), Place::Overview, "Overview").live("/live?stats"),
        state: "Everything that is switched on is working. 2 things could use a person.".to_owned(),
        alarm: None,
        tiles: tiles(),
        traffic: Some(traffic("traffic")),
        refusals: Some(Bars::bad(&[
            Bar {
                name: "inspect".to_owned(),
                value: 1284,
            },
            Bar {
                name: "authenticate".to_owned(),
                value: 412,
            },
            Bar {
                name: "limits".to_owned(),
                value: 96,
            },
            Bar {
                name: "authorise".to_owned(),
                value: 31,
            },
        ])),
        todos: vec![
            Todo {
                tone: Tone::Medium,
                text: "Enforce `catalogue`: it only observes".into(),
                why: "3 steps observe. In 12 480 requests blocking would have refused 4.".into(),
                href: "/gateway/routes/catalogue".to_owned(),
                action: "Look",
            },
            Todo {
                tone: Tone::Info,
                text: "Send checkpoints to another machine".into(),
                why: "Without one outside, a rollback of the whole trail cannot be excluded."
                    .into(),
                href: "/estate".to_owned(),
                action: "Estate",
            },
        ],
        may_read_trail: true,
        changes: vec![
            change(
                "`Ada Okafor` gave the role `support` to `Noor Haddad`",
                "identity.role.granted",
                "Ada Okafor",
                190,
            ),
            change(
                "applied version 7: 1 route added",
                "rollout.version.applied",
                "Tomas Lind",
                4100,
            ),
            change(
                "`Tomas Lind` signed in",
                "identity.session.started",
                "Tomas Lind",
                4300,
            ),
            change(
                "banned `203.0.113.0/24` for 1 h: credential stuffing",
                "gateway.ban.created",
                "Ada Okafor",
                86_000,
            ),
        ],
        parts: vec![
            Part {
                name: "Trail".to_owned(),
                badge: Badge::new(Tone::Ok, "Recording"),
                detail: "18 204 leaves, checkpoint 40 s ago".to_owned(),
            },
            Part {
                name: "Store".to_owned(),
                badge: Badge::new(Tone::Ok, "Answering"),
                detail: "SQLite".to_owned(),
            },
            Part {
                name: "Gateway gw-1".to_owned(),
                badge: Badge::new(Tone::Ok, "Connected"),
                detail: "estate version 7, 412 connections".to_owned(),
            },
        ],
    }
}

pub(super) fn overview_of_a_stranger() -> OverviewPage {
    let mut around = around();
    around.held = PermissionSet::empty();
    around.person = "Noor Haddad".to_owned();
    OverviewPage {
        frame: Frame::top(around, Place::Overview, "Overview"),
        state: "You are signed in. Your roles open none of the console's pages.".to_owned(),
        alarm: None,
        tiles: Vec::new(),
        traffic: None,
        refusals: None,
        todos: Vec::new(),
        may_read_trail: false,
        changes: Vec::new(),
        parts: Vec::new(),
    }
}

fn person_row(
    name: &str,
    login: &str,
    roles: &[&str],
    state: Badge,
    email: &str,
    created: When,
) -> PersonRow {
    PersonRow {
        href: "/identity/people/per_00000000000000000000000001".to_owned(),
        name: name.to_owned(),
        login: login.to_owned(),
        roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        state,
        email: email.to_owned(),
        created,
    }
}

pub(super) fn people() -> PeoplePage {
    PeoplePage {
        frame: Frame::top(around(), Place::People, "People"),
        state: "4 people, 1 waits to enrol, 1 is disabled.".to_owned(),
        people: vec![
            person_row(
                "Ada Okafor",
                "ada",
                &["administrator"],
                Badge::new(Tone::Ok, "Active"),
                "ada@shop.example",
                ago(4_000_000),
            ),
            person_row(
                "Noor Haddad",
                "noor@shop.example",
                &["support", "orders-clerk"],
                Badge::new(Tone::Ok, "Active"),
                "noor@shop.example",
                ago(86_400 * 20),
            ),
            person_row(
                "Tomas Lind",
                "tomas",
                &["auditor"],
                Badge::new(Tone::Info, "Invited"),
                "",
                ago(7200),
            ),
            person_row(
                "Wen <b>Li</b>",
                "wen",
                &[],
                Badge::new(Tone::Quiet, "Disabled"),
                "",
                ago(9_000_000),
            ),
        ],
        may_invite: true,
    }
}

fn choice(value: &str, about: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label: value.to_owned(),
        about: about.to_owned(),
    }
}

pub(super) fn invite() -> InvitePage {
    InvitePage {
        frame: Frame::below(around(), Place::People, "Invite a person"),
        problem: Some(Notice::new(
            Tone::High,
            "Not invited",
            "the sign-in name `ada` is taken",
        )),
        name: "Ada Byron".to_owned(),
        login: "ada".to_owned(),
        email: String::new(),
        roles: vec![
            choice("auditor", "May read everything and change nothing."),
            choice("support", "Sees and refunds orders."),
        ],
    }
}

pub(super) fn once() -> OncePage {
    let link = "https://rampart.shop.example/enrol/mJ2rPZ0v7p2Qw4mJ2rPZ0v7p2Qw4mJ2rPZ0v7p2Qw4";
    OncePage {
        frame: Frame::below(around(), Place::People, "Link for Noor Haddad"),
        title: "Send this link to Noor Haddad".to_owned(),
        text: "Whoever opens it first becomes Noor Haddad: send it by a way only they read."
            .to_owned(),
        label: "One-time enrolment link",
        secret: link.to_owned(),
        copy: Copy::new(link, "link"),
        expires: Some(ahead(86_400 * 3)),
        back: "/identity/people".to_owned(),
        back_label: "Back to people",
    }
}

fn session(device: &str, origin: &str, source: &str, started: u64, seen: u64) -> SessionRow {
    SessionRow {
        id: format!("ses_{started:026}"),
        device: device.to_owned(),
        source: source.to_owned(),
        origin: origin.to_owned(),
        started: ago(started),
        seen: ago(seen),
        current: seen < 60,
    }
}

pub(super) fn person() -> PersonPage {
    PersonPage {
        frame: Frame::below(around(), Place::People, "Noor Haddad"),
        id: "per_00000000000000000000000002".to_owned(),
        id_copy: Copy::new("per_00000000000000000000000002", "id"),
        name: "Noor Haddad".to_owned(),
        state: Badge::new(Tone::Ok, "Active"),
        disabled: false,
        login: "noor".to_owned(),
        email: "noor@shop.example".to_owned(),
        created: ago(86_400 * 20),
        held: vec![
            Held {
                id: "bnd_00000000000000000000000001".to_owned(),
                what: "role",
                name: "support".to_owned(),
                given: ago(190),
                by: "Ada Okafor".to_owned(),
            },
            Held {
                id: "bnd_00000000000000000000000002".to_owned(),
                what: "group",
                name: "office".to_owned(),
                given: ago(86_400 * 20),
                by: "rampart".to_owned(),
            },
        ],
        grantable: vec![choice("auditor", "may read everything")],
        groups: vec![choice("night-shift", "support, orders-clerk")],
        permissions: vec![
            "orders:read".to_owned(),
            "orders:refund".to_owned(),
            "stock:*".to_owned(),
        ],
        sessions: vec![session(
            "Firefox on Linux",
            "admin.shop.example",
            "198.51.100.23",
            9000,
            7200,
        )],
        revoke_action: "/identity/people/per_00000000000000000000000002/sessions/revoke".to_owned(),
        may_write: true,
        may_grant: true,
        trail_href: Some("/trail?actor=per_00000000000000000000000002".to_owned()),
    }
}

pub(super) fn confirm() -> ConfirmPage {
    ConfirmPage {
        plain: plain("Disable Noor Haddad"),
        token: token(),
        title: "Disable Noor Haddad?".to_owned(),
        text: "Their sessions and API keys end at once. Enabling them again brings neither back."
            .to_owned(),
        action: "/identity/people/per_00000000000000000000000002/disable".to_owned(),
        typed: "noor".to_owned(),
        button: "Disable",
        back: "/identity/people/per_00000000000000000000000002".to_owned(),
    }
}

pub(super) fn roles() -> RolesPage {
    RolesPage {
        frame: Frame::top(around(), Place::Roles, "Roles"),
        state: "3 roles. Nobody may do what no role of theirs allows.".to_owned(),
        roles: vec![
            RoleRow {
                name: "administrator".to_owned(),
                about: "Every permission of Rampart's own.".to_owned(),
                built_in: true,
                allow: own::ALL.iter().map(|p| (*p).to_owned()).collect(),
                holders: vec![("/identity/people/per_1".to_owned(), "Ada Okafor".to_owned())],
                groups: Vec::new(),
                source: None,
            },
            RoleRow {
                name: "support".to_owned(),
                about: "Sees and refunds orders.".to_owned(),
                built_in: false,
                allow: vec!["orders:read".to_owned(), "orders:refund".to_owned()],
                holders: vec![(
                    "/identity/people/per_2".to_owned(),
                    "Noor Haddad".to_owned(),
                )],
                groups: vec!["night-shift".to_owned()],
                source: Some("/estate#L31".to_owned()),
            },
            RoleRow {
                name: "nightly".to_owned(),
                about: "The export job.".to_owned(),
                built_in: false,
                allow: vec!["orders:export".to_owned()],
                holders: Vec::new(),
                groups: Vec::new(),
                source: Some("/estate#L36".to_owned()),
            },
        ],
    }
}
