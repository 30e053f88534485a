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

pub(super) fn account() -> AccountPage {
    AccountPage {
        frame: Frame::top(around(), Place::Elsewhere, "Your account").said(Some(Notice::new(
            Tone::Ok,
            "The session was revoked",
            "",
        ))),
        login: "ada".to_owned(),
        state: "Signed in with a password and a code, 12 min ago.".to_owned(),
        roles: vec!["administrator".to_owned()],
        permissions: vec![
            "rampart.people:read".to_owned(),
            "rampart.people:write".to_owned(),
        ],
        recovery_left: "8 of 10 left.".to_owned(),
        sessions: vec![
            session("Chromium on Linux", "the console", "198.51.100.7", 720, 5),
            session(
                "Safari on iOS",
                "admin.shop.example",
                "203.0.113.80",
                90_000,
                3900,
            ),
        ],
        revoke_action: "/account/sessions/revoke".to_owned(),
        keys: vec![KeyRow {
            id: "key_00000000000000000000000001".to_owned(),
            name: "nightly export".to_owned(),
            prefix: "rk_8fJq2LmZ".to_owned(),
            permissions: vec!["orders:export".to_owned()],
            expires: Some(ahead(86_400 * 12)),
            created: ago(32_000),
        }],
    }
}

pub(super) fn password_change() -> PasswordChangePage {
    PasswordChangePage {
        frame: Frame::below(around(), Place::Elsewhere, "Change your password"),
        problem: None,
        login: "ada".to_owned(),
        length_min: 12,
    }
}

pub(super) fn new_key() -> NewKeyPage {
    NewKeyPage {
        frame: Frame::below(around(), Place::Elsewhere, "New API key"),
        problem: None,
        name: String::new(),
        permissions: vec![
            choice("orders:export", ""),
            choice("rampart.trail:read", ""),
        ],
        networks: String::new(),
    }
}

fn route_row(
    name: &str,
    path: &str,
    to: &str,
    observing: &[&'static str],
    rate: &str,
    p95: &str,
    refused: &str,
    would: &str,
) -> RouteRow {
    RouteRow {
        name: name.to_owned(),
        href: format!("/gateway/routes/{name}"),
        host: "shop.example".to_owned(),
        path: path.to_owned(),
        to: to.to_owned(),
        observing: observing.to_vec(),
        stat: name.to_owned(),
        rate: rate.to_owned(),
        p95: p95.to_owned(),
        refused: refused.to_owned(),
        would: would.to_owned(),
    }
}

pub(super) fn routes() -> RoutesPage {
    RoutesPage {
        frame: Frame::top(around(), Place::Routes, "Routes").live("/live?stats"),
        state: "4 routes over 1 gateway. 1 of them only observes.".to_owned(),
        alarm: None,
        tiles: tiles(),
        routes: vec![
            route_row(
                "orders",
                "/api/orders/**",
                "shop",
                &[],
                "18.2",
                "21 ms",
                "1 604",
                "0",
            ),
            route_row(
                "catalogue",
                "/api/products/**",
                "shop",
                &["limits", "validate", "inspect"],
                "22.7",
                "9 ms",
                "0",
                "4",
            ),
            route_row(
                "static",
                "/assets/**",
                "shop",
                &[],
                "1.20",
                "0.9 ms",
                "12",
                "0",
            ),
            route_row(
                "admin",
                "/admin/**",
                "back-office",
                &[],
                "0",
                "0 ms",
                "31",
                "0",
            ),
        ],
    }
}

pub(super) fn routes_empty() -> RoutesPage {
    RoutesPage {
        state: "No route yet.".to_owned(),
        alarm: Some(Notice::new(
            Tone::Critical,
            "No gateway is connected",
            "Routes are served from the last snapshot until it is too old. Look at the gateway's log.",
        )),
        tiles: Vec::new(),
        routes: Vec::new(),
        ..routes()
    }
}

pub(super) fn route() -> RoutePage {
    RoutePage {
        frame: Frame::below(around(), Place::Routes, "catalogue").live("/live?stats=catalogue"),
        name: "catalogue".to_owned(),
        state: "shop.example/api/products/** goes to shop.".to_owned(),
        tiles: tiles(),
        modes: vec![
            ModeChip {
                step: "authenticate",
                observe: false,
            },
            ModeChip {
                step: "authorise",
                observe: false,
            },
            ModeChip {
                step: "limits",
                observe: true,
            },
            ModeChip {
                step: "validate",
                observe: true,
            },
            ModeChip {
                step: "inspect",
                observe: true,
            },
        ],
        traffic: Some(traffic("route-traffic")),
        statuses: vec![
            ("2xx".to_owned(), "12 071".to_owned()),
            ("4xx".to_owned(), "409".to_owned()),
        ],
        steps: vec![
            StepCount {
                step: "authenticate".to_owned(),
                refused: "402".to_owned(),
                would: "0".to_owned(),
            },
            StepCount {
                step: "inspect".to_owned(),
                refused: "0".to_owned(),
                would: "4".to_owned(),
            },
        ],
        refusals: Bars::bad(&[Bar {
            name: "authenticate".to_owned(),
            value: 402,
        }]),
        facts: vec![
            Fact {
                name: "Path",
                values: vec!["shop.example/api/products/**".to_owned()],
                line: Some(48),
            },
            Fact {
                name: "Requires",
                values: vec![
                    "GET products:read".to_owned(),
                    "POST products:write".to_owned(),
                ],
                line: Some(51),
            },
            Fact {
                name: "Limits",
                values: vec!["100/min per user".to_owned()],
                line: Some(52),
            },
        ],
        explain_href: "/gateway/explain?url=https%3A%2F%2Fshop.example%2Fapi%2Fproducts%2F"
            .to_owned(),
        trail_href: Some("/trail?kind=gateway.&text=catalogue".to_owned()),
    }
}

fn trace(step: &str, verdict: Verdict, text: &str, line: Option<usize>) -> TraceStep {
    TraceStep {
        step: step.to_owned(),
        verdict,
        text: text.into(),
        line,
    }
}

pub(super) fn explain() -> ExplainPage {
    let command =
        "rampart gateway explain 'POST https://shop.example/api/orders/7/refund' --as noor";
    ExplainPage {
        frame: Frame::top(around(), Place::Explain, "Explain"),
        problem: None,
        method: "POST".to_owned(),
        methods: vec!["GET", "POST", "PUT", "PATCH", "DELETE"],
        url: "https://shop.example/api/orders/7/refund".to_owned(),
        who: "per_00000000000000000000000002".to_owned(),
        people: vec![Choice {
            value: "per_00000000000000000000000002".to_owned(),
            label: "Noor Haddad".to_owned(),
            about: String::new(),
        }],
        headers: String::new(),
        answer: Some(Explanation {
            verdict: Badge::new(Tone::High, "Refused: 403"),
            summary: "`Noor Haddad` may not `POST` to `orders`".into(),
            steps: vec![
                trace(
                    "route",
                    Verdict::Passed,
                    "`orders` serves shop.example/api/orders/**",
                    Some(40),
                ),
                trace(
                    "authenticate",
                    Verdict::Passed,
                    "a session would be accepted",
                    Some(42),
                ),
                trace(
                    "authorise",
                    Verdict::Stopped,
                    "POST needs `orders:refund`; held: `orders:read`",
                    Some(43),
                ),
                trace("limits", Verdict::Skipped, "not reached", None),
                trace(
                    "inspect",
                    Verdict::Observed,
                    "would match rule `sql.tautology`",
                    Some(45),
                ),
            ],
        }),
        command: Some((command.to_owned(), Copy::new(command, "command"))),
    }
}

pub(super) fn bans() -> BansPage {
    BansPage {
        frame: Frame::top(around(), Place::Bans, "Bans"),
        state: "2 bans are in force.".to_owned(),
        problem: None,
        bans: vec![
            BanRow {
                id: "ban_00000000000000000000000001".to_owned(),
                network: "203.0.113.0/24".to_owned(),
                reason: "credential stuffing".to_owned(),
                until: ahead(3000),
            },
            BanRow {
                id: "ban_00000000000000000000000002".to_owned(),
                network: "2001:db8:7::/48".to_owned(),
                reason: "scanner".to_owned(),
                until: ahead(86_400 * 6),
            },
        ],
        may_ban: true,
        network: String::new(),
        reason: String::new(),
    }
}

pub(super) fn bans_empty() -> BansPage {
    BansPage {
        state: "Nobody is refused by address.".to_owned(),
        bans: Vec::new(),
        may_ban: false,
        ..bans()
    }
}

fn event_row(
    message: &str,
    kind: &str,
    actor: &str,
    source: &str,
    outcome: Outcome,
    seconds: u64,
    index: u64,
) -> EventRow {
    EventRow {
        href: "/trail/evt_00000000000000000000000001".to_owned(),
        when: ago(seconds),
        kind: kind.to_owned(),
        message: message.into(),
        actor: actor.to_owned(),
        source: source.to_owned(),
        outcome: Badge::outcome(outcome),
        index,
    }
}

pub(super) fn trail() -> TrailPage {
    TrailPage {
        frame: Frame::top(around(), Place::Trail, "Trail").live("/live?trail&outcome=refused"),
        state: "18 204 leaves, every one signed for. Newest checkpoint 40 s ago.".to_owned(),
        problem: None,
        asked: Asked {
            outcome: "refused".to_owned(),
            ..Asked::default()
        },
        filters: vec![Filter {
            label: "outcome: refused".to_owned(),
            without: "/trail".to_owned(),
        }],
        events: vec![
            event_row(
                "refused `GET /admin`: `products:write` is missing",
                "gateway.request.refused",
                "Noor Haddad",
                "198.51.100.23",
                Outcome::Refused,
                12,
                18_203,
            ),
            event_row(
                "refused 214 requests of strangers: sql injection in `q`",
                "gateway.requests.refused",
                "anonymous",
                "203.0.113.9",
                Outcome::Refused,
                61,
                18_201,
            ),
            event_row(
                "refused the page `/identity/people`: `rampart.people:read` is missing",
                "console.page.refused",
                "Noor Haddad",
                "198.51.100.23",
                Outcome::Refused,
                400,
                18_190,
            ),
            event_row(
                "wrong code for `tomas`",
                "identity.sign_in.refused",
                "anonymous",
                "203.0.113.77",
                Outcome::Failure,
                3600,
                18_002,
            ),
        ],
        newest: "/trail?outcome=refused".to_owned(),
        at_newest: true,
        older: Some("/trail?outcome=refused&before=18002".to_owned()),
    }
}

pub(super) fn trail_empty() -> TrailPage {
    TrailPage {
        events: Vec::new(),
        older: None,
        problem: Some(Notice::new(
            Tone::High,
            "Not a time",
            "`yesterday` is not a time such as `2026-03-01T08:00:00Z` or `2h`",
        )),
        ..trail()
    }
}

pub(super) fn event() -> EventPage {
    let leaf = "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a";
    let checkpoint = "shop.example/rampart\n18204\nn2SnR+G5fxMfq7a0Rylsm28CAeefs8U1bmx36JtqgGo=\n\n\u{2014} shop.example/rampart 5sYyVn0s…";
    EventPage {
        frame: Frame::below(around(), Place::Trail, "Event 18190"),
        message: "refused the page `/identity/people`: `rampart.people:read` is missing".into(),
        kind: "console.page.refused".to_owned(),
        outcome: Badge::outcome(Outcome::Refused),
        severity: Badge::severity(Severity::Low),
        class: "use",
        class_about: "written before the answer, on disk within 100 ms",
        when: ago(400),
        time: NOW.before(Duration::from_secs(400)).to_string(),
        actor: "Noor Haddad".to_owned(),
        actor_id: "per_00000000000000000000000002".to_owned(),
        target: Some(("page".to_owned(), "/identity/people".to_owned())),
        source: Some(("198.51.100.23".to_owned(), "/trail?source=198.51.100.23".to_owned())),
        request: Some(("req_00000000000000000000000003".to_owned(), "/trail?text=req_00000000000000000000000003".to_owned())),
        id: "evt_00000000000000000000000004".to_owned(),
        id_copy: Copy::new("evt_00000000000000000000000004", "id"),
        details: vec![("permission".to_owned(), "rampart.people:read".to_owned())],
        index: 18_190,
        leaf: leaf.to_owned(),
        leaf_copy: Copy::new(leaf, "hash"),
        covered: Badge::new(Tone::Ok, "Covered by the newest"),
        checkpoint: checkpoint.to_owned(),
        checkpoint_copy: Copy::new(checkpoint, "checkpoint"),
        command: "rampart trail export --to ./evidence\nrampart trail verify --offline ./evidence --key KEY --since CHECKPOINT".to_owned(),
        command_copy: Copy::new("rampart trail verify", "commands"),
    }
}

const SOURCE: &str = "[estate]\nname = \"shop\"\ndomain = \"shop.example\"\n\n[[zone]]\nname = \"app\"\n\n[[service]]\nname = \"shop\"\nhosts = [\"web-1\"]\nport = 8080\n\n[[route]]\npath = \"/api/orders/**\"\nto = \"shop\"\nauth = \"required\"\nrequire = { GET = \"orders:read\", POST = \"orders:refund\" }\nlimit = \"100/min per user\"\n";

fn lines(noted: &[(usize, LineNote)]) -> Vec<Line> {
    SOURCE
        .lines()
        .enumerate()
        .map(|(i, text)| Line {
            number: i + 1,
            text: text.to_owned(),
            notes: noted
                .iter()
                .filter(|(n, _)| *n == i + 1)
                .map(|(_, note)| note.clone())
                .collect(),
        })
        .collect()
}

pub(super) fn estate() -> EstatePage {
    EstatePage {
        frame: Frame::top(around(), Place::Estate, "Estate"),
        state: "Version 7 is applied since 1 h ago, by Tomas Lind.".to_owned(),
        drift: Some(Notice::new(
            Tone::Medium,
            "The file differs from what is applied",
            "/etc/rampart/rampart.toml was changed after version 7. Plan it, or put the file back.",
        )),
        hash: Some(("3f1c9a…".to_owned(), Copy::new("3f1c9a", "hash"))),
        counts: vec![
            ("Routes", "4".to_owned()),
            ("Services", "2".to_owned()),
            ("Roles", "3".to_owned()),
        ],
        lines: lines(&[]),
        versions: vec![
            VersionRow {
                number: 7,
                hash: "3f1c9a04".to_owned(),
                applied: ago(4100),
                by: "Tomas Lind".to_owned(),
                current: true,
            },
            VersionRow {
                number: 6,
                hash: "a0b2c7d1".to_owned(),
                applied: ago(90_000),
                by: "uid:0".to_owned(),
                current: false,
            },
        ],
        may_apply: true,
    }
}

pub(super) fn plan() -> PlanPage {
    PlanPage {
        frame: Frame::below(around(), Place::Estate, "Plan a change"),
        state: "A plan shows what would happen; nothing happens before it is applied.".to_owned(),
        problem: None,
        source: SOURCE.to_owned(),
        planned: Some(Planned {
            base: 7,
            hash: "c4d5e6f7a8b9c0d1".to_owned(),
            short: "c4d5e6f7a8b9".to_owned(),
            source: SOURCE.to_owned(),
            confirm: "apply 8".to_owned(),
            changes: vec![
                ChangeRow {
                    sort: Sort::Added,
                    what: "route `export`".into(),
                    detail: vec!["path = /api/export/**".to_owned()],
                    effect: "people with `orders:export` reach it".into(),
                },
                ChangeRow {
                    sort: Sort::Changed,
                    what: "route `catalogue`".into(),
                    detail: vec!["inspect: observe \u{2192} block".to_owned()],
                    effect: "4 of the last 12 480 requests would have been refused".into(),
                },
                ChangeRow {
                    sort: Sort::Removed,
                    what: "role `nightly`".into(),
                    detail: Vec::new(),
                    effect: "nobody holds it".into(),
                },
            ],
        }),
        lines: Vec::new(),
        elsewhere: Vec::new(),
    }
}

pub(super) fn plan_with_findings() -> PlanPage {
    let note = LineNote {
        error: true,
        text: "there is no service `shpo`".into(),
        hint: "did you mean `shop`?".into(),
        code: "estate.unknown_service".to_owned(),
        column: 6,
    };
    let warning = LineNote {
        error: false,
        text: "nobody holds `orders:refund`".into(),
        hint: Prose::default(),
        code: "estate.unheld_permission".to_owned(),
        column: 44,
    };
    PlanPage {
        problem: Some(Notice::new(
            Tone::High,
            "This text cannot be planned",
            "1 error, 1 warning",
        )),
        planned: None,
        lines: lines(&[(15, note), (17, warning)]),
        ..plan()
    }
}

pub(super) fn settings() -> SettingsPage {
    SettingsPage {
        frame: Frame::top(around(), Place::Settings, "Settings"),
        look: Look::default(),
        version: "0.1.0",
    }
}

fn said(status: u16, title: &str, text: &str, hint: &str, missing: Option<&str>) -> Said {
    Said {
        status,
        title: title.to_owned(),
        text: text.into(),
        hint: hint.into(),
        missing: missing.map(str::to_owned),
        request_id: "req_00000000000000000000000003".to_owned(),
        copy: Copy::new("req_00000000000000000000000003", "request id"),
    }
}

pub(super) fn refused() -> ErrorPage {
    let mut around = around();
    around.held = PermissionSet::empty();
    ErrorPage {
        frame: Frame::below(around, Place::Elsewhere, "Not allowed"),
        said: said(
            403,
            "Your roles do not open this page",
            "It needs a permission you do not hold.",
            "Somebody who holds it can give you a role that has it. This refusal was recorded.",
            Some("rampart.people:read"),
        ),
    }
}

pub(super) fn not_found() -> PlainErrorPage {
    PlainErrorPage {
        plain: plain("Not found"),
        said: said(
            404,
            "There is nothing here",
            "The address is wrong, or what it named is gone.",
            "",
            None,
        ),
    }
}
