use model::{Ban, BanId};

use super::*;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_767_225_600_000 + seconds * 1000)
}

pub(crate) fn subject(id: u128, roles: &[&str]) -> Subject {
    Subject {
        id: PersonId::from_raw(id),
        name: format!("Person {id}"),
        email: Some(format!("p{id}@example.org")),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

pub(crate) fn grant(id: u128, person: u128, host: &str) -> SessionGrant {
    SessionGrant {
        digest: [u8::try_from(id).unwrap(); 32],
        id: SessionId::from_raw(id),
        person: PersonId::from_raw(person),
        host: host.to_owned(),
        idle_at: at(3600),
        absolute_at: at(24 * 3600),
        authenticated_at: at(0),
        methods: Vec::new(),
    }
}

fn key(id: u128, owner: u128, expires_at: Option<Timestamp>) -> ApiKeyGrant {
    ApiKeyGrant {
        digest: [u8::try_from(id).unwrap(); 32],
        id: ApiKeyId::from_raw(id),
        name: format!("key {id}"),
        owner: PersonId::from_raw(owner),
        permissions: model::PermissionSet::empty(),
        networks: Vec::new(),
        expires_at,
    }
}

fn directory() -> Directory {
    let directory = Directory::default();
    directory.replace(IdentitySnapshot {
        revision: 10,
        subjects: vec![subject(1, &["support"]), subject(2, &[])],
        sessions: vec![grant(3, 1, "shop.example"), grant(4, 2, "shop.example")],
        api_keys: vec![key(5, 1, None), key(6, 1, Some(at(60)))],
        ..IdentitySnapshot::default()
    });
    directory
}

fn lives(directory: &Directory, id: u8, host: &str, now: i64) -> bool {
    directory.session(&[id; 32], host, at(now), HOUR).is_some()
}

#[test]
fn session_lives_on_its_own_host_only() {
    let directory = directory();
    assert!(lives(&directory, 3, "shop.example", 1));
    assert!(!lives(&directory, 3, "other.example", 1));
    assert!(!lives(&directory, 9, "shop.example", 1));
}

#[test]
fn use_pushes_the_idle_end_out_but_never_the_absolute_one() {
    let directory = directory();
    assert!(!lives(&directory, 3, "shop.example", 3600));
    for now in (0..24 * 3600).step_by(1800) {
        let (session, _) = directory
            .session(&[3; 32], "shop.example", at(now), HOUR)
            .unwrap();
        directory.used(&session, at(now));
    }
    assert!(!lives(&directory, 3, "shop.example", 24 * 3600));
    assert!(
        !lives(&directory, 4, "shop.example", 3601),
        "nobody used it"
    );
}

#[test]
fn each_used_session_is_told_once_with_its_newest_use() {
    let directory = directory();
    let (session, _) = directory
        .session(&[3; 32], "shop.example", at(5), HOUR)
        .unwrap();
    directory.used(&session, at(5));
    directory.used(&session, at(9));
    directory.used(&session, at(7));
    assert_eq!(directory.take_seen(), [(SessionId::from_raw(3), at(9))]);
    assert_eq!(directory.take_seen(), []);
}

#[test]
fn uses_survive_a_new_snapshot() {
    let directory = directory();
    let (session, _) = directory
        .session(&[3; 32], "shop.example", at(3000), HOUR)
        .unwrap();
    directory.used(&session, at(3000));
    directory.replace(IdentitySnapshot {
        revision: 20,
        subjects: vec![subject(1, &[])],
        sessions: vec![grant(3, 1, "shop.example")],
        ..IdentitySnapshot::default()
    });
    assert!(lives(&directory, 3, "shop.example", 5000));
}

#[test]
fn everything_of_somebody_who_is_gone_is_gone_at_once() {
    let directory = directory();
    let gone = IdentityChange::SubjectGone(PersonId::from_raw(1));
    assert_eq!(directory.change(11, gone), Order::Kept);
    assert!(!lives(&directory, 3, "shop.example", 1));
    assert!(directory.key(&[5; 32], at(1)).is_none());
    assert!(lives(&directory, 4, "shop.example", 1));
}

#[test]
fn key_ends_when_it_says_and_when_it_is_revoked() {
    let directory = directory();
    assert!(directory.key(&[6; 32], at(59)).is_some());
    assert!(directory.key(&[6; 32], at(60)).is_none());
    let gone = IdentityChange::ApiKeyGone(ApiKeyId::from_raw(5));
    directory.change(11, gone);
    assert!(directory.key(&[5; 32], at(1)).is_none());
}

#[test]
fn a_missing_change_is_noticed_and_an_old_one_skipped() {
    let directory = directory();
    let gone = || IdentityChange::SessionGone(SessionId::from_raw(3));
    assert_eq!(directory.change(9, gone()), Order::Kept);
    assert!(
        lives(&directory, 3, "shop.example", 1),
        "older than the snapshot"
    );
    assert_eq!(directory.change(12, gone()), Order::Broken);
    assert!(lives(&directory, 3, "shop.example", 1), "not carried out");
    assert_eq!(directory.change(11, gone()), Order::Kept);
    assert!(!lives(&directory, 3, "shop.example", 1));
}

#[test]
fn bans_hold_for_networks_until_they_end_or_are_lifted() {
    let directory = directory();
    let ban = |id: u128, network: &str| Ban {
        id: BanId::from_raw(id),
        network: network.parse().unwrap(),
        until: at(60),
        reason: "guessing".to_owned(),
    };
    directory.change(11, IdentityChange::Ban(ban(1, "192.0.2.0/24")));
    directory.change(12, IdentityChange::Ban(ban(2, "2001:db8::/32")));
    let banned = |address: &str, now| directory.ban(address.parse().unwrap(), at(now)).is_some();
    assert!(banned("192.0.2.77", 1) && banned("2001:db8::9", 1));
    assert!(!banned("192.0.3.1", 1) && !banned("192.0.2.77", 60));
    directory.change(13, IdentityChange::BanGone(BanId::from_raw(1)));
    assert!(!banned("192.0.2.77", 1) && banned("2001:db8::9", 1));
}

#[test]
fn age_counts_from_the_last_word_of_control() {
    let directory = directory();
    assert_eq!(directory.age(Duration::ZERO), Duration::MAX);
    directory.heard(Duration::ZERO);
    assert_eq!(
        directory.age(Duration::from_secs(9)),
        Duration::from_secs(9)
    );
    directory.heard(Duration::from_secs(8));
    assert_eq!(
        directory.age(Duration::from_secs(9)),
        Duration::from_secs(1)
    );
}
