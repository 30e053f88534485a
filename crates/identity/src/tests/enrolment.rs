//! From a link to credentials.

use crate::{Error, NewPerson, PersonState};

use super::fixture::{Ground, PASSWORD, World, device, secret};
use super::on_both;

on_both! {
    first_administrator_comes_from_a_link_and_only_until_there_is_one
    a_link_ends_and_a_newer_one_takes_its_place
    weak_passwords_are_refused_and_the_reason_is_told
    new_credentials_end_what_came_before
    rescue_is_for_the_machine_only
    nothing_secret_is_stored_readable
}

async fn first_administrator_comes_from_a_link_and_only_until_there_is_one(ground: Ground) {
    let world = World::new(ground).await;
    let first = world
        .identity
        .ensure_first_administrator(&world.system())
        .await
        .unwrap()
        .unwrap();
    let again = world
        .identity
        .ensure_first_administrator(&world.system())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first.person.id, again.person.id, "one person, a newer link");
    assert!(matches!(
        world.identity.enrolment(first.token.expose()).await,
        Err(Error::Spent)
    ));
    let admin = world.enrol(&again).await;
    assert_eq!(admin.recovery.len(), 10);
    let ctx = world.context(&admin.cookie).await.unwrap();
    assert!(
        ctx.permissions
            .allows(&model::own::permission(model::own::PEOPLE_WRITE))
    );
    assert!(
        world
            .identity
            .ensure_first_administrator(&world.system())
            .await
            .unwrap()
            .is_none()
    );
    let refused = world.identity.ensure_first_administrator(&ctx).await;
    assert!(matches!(refused, Err(Error::NotLocal)));
    let world = world.restarted().await;
    assert!(
        world.context(&admin.cookie).await.is_some(),
        "sessions outlive a restart"
    );
    assert!(world.sign_in(&admin).await.is_ok());
    let recorded = world.recorded().await;
    for kind in [
        "identity.administrator.offered",
        "identity.person.enrolled",
        "identity.session.started",
    ] {
        assert!(recorded.iter().any(|k| k == kind), "{kind} in {recorded:?}");
    }
}

async fn a_link_ends_and_a_newer_one_takes_its_place(ground: Ground) {
    let world = World::new(ground).await;
    let new = NewPerson {
        login: "Ada".into(),
        name: "Ada".into(),
        ..NewPerson::default()
    };
    let invited = world
        .identity
        .invite(&world.system(), new.clone())
        .await
        .unwrap();
    assert_eq!(invited.person.login, "ada");
    assert!(matches!(
        world.identity.invite(&world.system(), new).await,
        Err(Error::Taken(login)) if login == "ada"
    ));
    let newer = world
        .identity
        .reissue(&world.system(), invited.person.id)
        .await
        .unwrap();
    assert!(matches!(
        world.identity.enrolment(invited.token.expose()).await,
        Err(Error::Spent)
    ));
    assert!(world.identity.enrolment(newer.token.expose()).await.is_ok());
    world
        .ground
        .clock
        .advance(Ground::estate().identity.enrolment);
    assert!(matches!(
        world.identity.enrolment(newer.token.expose()).await,
        Err(Error::Spent)
    ));
}

async fn weak_passwords_are_refused_and_the_reason_is_told(ground: Ground) {
    let world = World::new(ground).await;
    let link = world
        .identity
        .ensure_first_administrator(&world.system())
        .await
        .unwrap()
        .unwrap();
    let stranger = world.stranger("192.0.2.1");
    let min = world
        .identity
        .enrolment(link.token.expose())
        .await
        .unwrap()
        .password_length_min;
    assert!(min >= 8);
    for (weak, why) in [
        ("short".to_owned(), "needs at least"),
        ("password123456789".to_owned(), "tried first"),
        ("administrator-42".to_owned(), "tried first"),
        ("x".repeat(129), "at most 128"),
        ("ab".repeat(20), "repeats"),
        ("é".repeat(5000), "at most 128"),
    ] {
        let refused = world
            .identity
            .enrol_password(&stranger, link.token.expose(), secret(&weak))
            .await;
        let told = refused.unwrap_err().to_string();
        assert!(told.contains(why), "{weak}: {told}");
    }
    let (token, device) = (link.token.expose(), device());
    let code = world
        .identity
        .enrol_confirm(&stranger, token, "000000", &device)
        .await;
    assert!(
        matches!(code, Err(Error::Spent)),
        "no second step without the first"
    );
}

async fn new_credentials_end_what_came_before(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["reader"]).await;
    let link = world
        .identity
        .reissue(&world.system(), ada.id)
        .await
        .unwrap();
    assert!(
        world.context(&ada.cookie).await.is_some(),
        "until the link is used"
    );
    let renewed = world.enrol(&link).await;
    assert!(world.context(&ada.cookie).await.is_none());
    assert_ne!(ada.seed, renewed.seed);
    assert!(
        matches!(world.sign_in(&ada).await, Err(Error::WrongCredentials)),
        "the old seed"
    );
    assert!(world.sign_in(&renewed).await.is_ok());
}

async fn rescue_is_for_the_machine_only(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let ctx = world.context(&admin.cookie).await.unwrap();
    let refused = world.identity.rescue_administrator(&ctx, None).await;
    assert!(matches!(refused, Err(Error::NotLocal)));
    let ada = world.somebody("ada", &[]).await;
    let link = world
        .identity
        .rescue_administrator(&world.system(), Some("ada"))
        .await
        .unwrap();
    assert_eq!(link.person.id, ada.id);
    let ada = world.enrol(&link).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    assert!(
        ctx.permissions
            .allows(&model::own::permission(model::own::ESTATE_APPLY))
    );
    let fresh = world
        .identity
        .rescue_administrator(&world.system(), None)
        .await
        .unwrap();
    assert_eq!(fresh.person.state, PersonState::Invited);
    let kinds = world.recorded().await;
    assert_eq!(
        kinds
            .iter()
            .filter(|k| *k == "identity.administrator.rescued")
            .count(),
        2
    );
}

async fn nothing_secret_is_stored_readable(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let pending = world
        .identity
        .sign_in(&world.stranger("192.0.2.7"), &admin.login, secret(PASSWORD))
        .await
        .unwrap();
    world.trail.close().await;
    let bytes = world.ground.bytes();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(bytes.is_empty() || !holds(PASSWORD.as_bytes()));
    assert!(!holds(admin.cookie.as_bytes()), "session");
    assert!(!holds(pending.token.expose().as_bytes()), "sign-in");
    assert!(!holds(&admin.seed), "seed");
    assert!(!holds(b"$argon2id$"), "hashes are sealed too");
    for code in &admin.recovery {
        assert!(!holds(code.as_bytes()), "recovery code");
        assert!(!holds(code.replace('-', "").as_bytes()), "recovery code");
    }
}
