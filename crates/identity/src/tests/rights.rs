//! Who may what, and who may give it.

use std::time::Duration;

use crate::{BindingKind, CheckStatus, Error, NewPerson};
use model::{Clock as _, PermissionSet, own};

use super::fixture::{Ground, World};
use super::on_both;

on_both! {
    nobody_gives_what_they_do_not_hold
    the_last_administrator_stays
    a_right_with_an_end_ends
    groups_give_their_roles
    without_the_permission_nothing_is_seen_or_done
    nobody_takes_the_place_of_somebody_with_more_rights
    a_new_estate_counts_at_once
    controls_say_what_is_wrong
}

async fn nobody_gives_what_they_do_not_hold(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let ada = world.somebody("ada", &[]).await;
    let mut ctx = world.context(&admin.cookie).await.unwrap();
    let role = BindingKind::Role;
    let own_services = world
        .identity
        .grant(&ctx, ada.id, role, "reader", None)
        .await;
    assert!(own_services.is_ok(), "who writes the roles lets others in");
    let apply = own::permission(own::ESTATE_APPLY);
    ctx.permissions = ctx
        .permissions
        .iter()
        .filter(|p| **p != apply)
        .cloned()
        .collect();
    let held = world
        .identity
        .grant(&ctx, ada.id, role, "auditor", None)
        .await;
    assert!(held.is_ok());
    let more = world
        .identity
        .grant(&ctx, ada.id, role, own::ADMINISTRATOR, None)
        .await;
    assert!(matches!(more, Err(Error::Exceeds(p)) if p == apply));
    let refused = world
        .identity
        .grant(&ctx, ada.id, role, "support", None)
        .await;
    assert!(matches!(refused, Err(Error::Exceeds(p)) if p.as_str().starts_with("orders:")));
    let group = world
        .identity
        .grant(&ctx, ada.id, BindingKind::Group, "staff", None)
        .await;
    assert!(
        matches!(group, Err(Error::Exceeds(_))),
        "not by way of a group either"
    );
    let new = NewPerson {
        login: "eve".into(),
        name: "Eve".into(),
        roles: vec!["support".into()],
        ..NewPerson::default()
    };
    assert!(matches!(
        world.identity.invite(&ctx, new).await,
        Err(Error::Exceeds(_))
    ));
    let unknown = world
        .identity
        .grant(&ctx, ada.id, role, "emperor", None)
        .await;
    assert!(matches!(unknown, Err(Error::Invalid { field: "role", .. })));
    let twice = world
        .identity
        .grant(&ctx, ada.id, role, "auditor", None)
        .await;
    assert!(matches!(twice, Err(Error::Taken(_))));
}

async fn the_last_administrator_stays(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let ada = world.somebody("ada", &[]).await;
    let ctx = world.context(&admin.cookie).await.unwrap();
    let last = world.identity.disable(&ctx, admin.id).await;
    assert!(matches!(last, Err(Error::LastAdministrator)));
    let until = Some(world.ground.clock.now().after(Duration::from_secs(3600)));
    let (role, name) = (BindingKind::Role, own::ADMINISTRATOR);
    let ending = world
        .identity
        .grant(&ctx, ada.id, role, name, until)
        .await
        .unwrap();
    let last = world.identity.disable(&ctx, admin.id).await;
    assert!(
        matches!(last, Err(Error::LastAdministrator)),
        "one that ends does not count"
    );
    world
        .identity
        .revoke_binding(&ctx, ending.id)
        .await
        .unwrap();
    world
        .identity
        .grant(&ctx, ada.id, role, name, None)
        .await
        .unwrap();
    let held = world.identity.bindings(&ctx, Some(admin.id)).await.unwrap();
    world
        .identity
        .revoke_binding(&ctx, held[0].id)
        .await
        .unwrap();
    let ctx = world.context(&ada.cookie).await.unwrap();
    let held = world.identity.bindings(&ctx, Some(ada.id)).await.unwrap();
    let last = world.identity.revoke_binding(&ctx, held[0].id).await;
    assert!(matches!(last, Err(Error::LastAdministrator)));
    assert!(
        world
            .context(&ada.cookie)
            .await
            .unwrap()
            .permissions
            .allows(&own::permission(own::ROLES_GRANT))
    );
}

async fn a_right_with_an_end_ends(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let end = world.ground.clock.now().after(Duration::from_secs(60));
    let (ctx, role) = (world.system(), BindingKind::Role);
    world
        .identity
        .grant(&ctx, ada.id, role, "auditor", Some(end))
        .await
        .unwrap();
    let may = |ctx: &model::Context| ctx.permissions.allows(&own::permission(own::TRAIL_READ));
    assert!(may(&world.context(&ada.cookie).await.unwrap()));
    let mut changes = world.identity.changes();
    world.advance(60);
    world.identity.tend().await.unwrap();
    assert!(!may(&world.context(&ada.cookie).await.unwrap()));
    assert!(changes.try_recv().is_ok(), "the gateway is told");
    assert!(
        world
            .recorded()
            .await
            .iter()
            .any(|kind| kind == "identity.role.ended")
    );
    let past = Some(world.ground.clock.now());
    let refused = world
        .identity
        .grant(&ctx, ada.id, role, "auditor", past)
        .await;
    assert!(matches!(
        refused,
        Err(Error::Invalid {
            field: "expires_at",
            ..
        })
    ));
}

async fn groups_give_their_roles(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &[]).await;
    let mut ctx = world.system();
    let read: PermissionSet = ["orders:read".parse().unwrap()].into_iter().collect();
    ctx.permissions = ctx.permissions.iter().chain(read.iter()).cloned().collect();
    world
        .identity
        .grant(&ctx, ada.id, BindingKind::Group, "staff", None)
        .await
        .unwrap();
    let permissions = world.context(&ada.cookie).await.unwrap().permissions;
    assert_eq!(permissions, read);
}

async fn without_the_permission_nothing_is_seen_or_done(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let ada = world.somebody("ada", &["reader"]).await;
    let ctx = world.context(&ada.cookie).await.unwrap();
    let identity = &world.identity;
    let new = NewPerson {
        login: "x".into(),
        name: "x".into(),
        ..NewPerson::default()
    };
    assert!(matches!(
        identity.invite(&ctx, new).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(identity.people(&ctx).await, Err(Error::Denied(_))));
    assert!(matches!(
        identity.person(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.disable(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.enable(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.reissue(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.sessions(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.all_sessions(&ctx).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.revoke_sessions(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.bindings(&ctx, None).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.bindings(&ctx, Some(admin.id)).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        identity.recovery_codes_left(&ctx, admin.id).await,
        Err(Error::Denied(_))
    ));
    assert!(matches!(identity.checks(&ctx).await, Err(Error::Denied(_))));
    assert!(matches!(
        identity.revoke_token(&ctx, &"x".repeat(43)).await,
        Err(Error::Denied(_))
    ));
    let role = BindingKind::Role;
    let grant = identity.grant(&ctx, ada.id, role, "reader", None).await;
    assert!(matches!(grant, Err(Error::Denied(_))));
    assert_eq!(identity.person(&ctx, ada.id).await.unwrap().login, "ada");
    assert_eq!(
        identity.bindings(&ctx, Some(ada.id)).await.unwrap().len(),
        1
    );
}

async fn nobody_takes_the_place_of_somebody_with_more_rights(ground: Ground) {
    let world = World::new(ground).await;
    let admin = world.administrator().await;
    let bob = world.somebody("bob", &["support"]).await;
    // Whoever may write people but holds less must not get a link for those who hold more.
    let mut desk = world.context(&bob.cookie).await.unwrap();
    desk.permissions = [own::permission(own::PEOPLE_WRITE)].into_iter().collect();
    let refused = world.identity.reissue(&desk, admin.id).await;
    assert!(matches!(refused, Err(Error::Exceeds(_))));
    let ada = world.somebody("ada", &[]).await;
    let link = world.identity.reissue(&desk, ada.id).await.unwrap();
    let works = async |link: &crate::Invitation| {
        let offer = world.identity.enrolment(link.token.expose()).await;
        assert!(matches!(offer, Ok(_) | Err(Error::Spent)));
        offer.is_ok()
    };
    assert!(works(&link).await);
    // The link they kept must not lead to what she is given later.
    let (kind, name) = (BindingKind::Role, own::ADMINISTRATOR);
    let system = world.system();
    let given = world.identity.grant(&system, ada.id, kind, name, None);
    let given = given.await.unwrap();
    assert!(!works(&link).await);
    let mut above = desk.clone();
    above.permissions = system.permissions.clone();
    let other = world.identity.reissue(&above, ada.id).await.unwrap();
    assert!(works(&other).await);
    world
        .identity
        .revoke_binding(&system, given.id)
        .await
        .unwrap();
    assert!(works(&other).await && !works(&link).await, "replaced");
}

async fn a_new_estate_counts_at_once(ground: Ground) {
    let world = World::new(ground).await;
    let ada = world.somebody("ada", &["support"]).await;
    let refund = "orders:refund".parse().unwrap();
    assert!(
        world
            .context(&ada.cookie)
            .await
            .unwrap()
            .permissions
            .allows(&refund)
    );
    let without = crate::tests::fixture::ESTATE.replace(", \"orders:refund\"", "");
    let next = estate::Estate::parse(&without).unwrap().estate;
    world
        .identity
        .set_estate(std::sync::Arc::new(next))
        .await
        .unwrap();
    assert!(
        !world
            .context(&ada.cookie)
            .await
            .unwrap()
            .permissions
            .allows(&refund)
    );
}

async fn controls_say_what_is_wrong(ground: Ground) {
    let world = World::new(ground).await;
    let of = |checks: Vec<crate::Check>, id: &str| {
        checks
            .into_iter()
            .find(|check| check.id == id)
            .unwrap()
            .status
    };
    let id = "identity.administrators";
    let ctx = world.system();
    assert_eq!(
        of(world.identity.checks(&ctx).await.unwrap(), id),
        CheckStatus::Fail
    );
    let admin = world.administrator().await;
    assert_eq!(
        of(world.identity.checks(&ctx).await.unwrap(), id),
        CheckStatus::Warn
    );
    world.somebody("ada", &[own::ADMINISTRATOR]).await;
    let checks = world.identity.checks(&ctx).await.unwrap();
    assert!(
        checks.iter().all(|check| check.status == CheckStatus::Ok),
        "{checks:?}"
    );
    world.identity.disable(&ctx, admin.id).await.unwrap();
    assert_eq!(
        of(world.identity.checks(&ctx).await.unwrap(), id),
        CheckStatus::Warn
    );
}
