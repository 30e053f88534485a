use super::*;
use crate::{Estate, Mode};

#[test]
fn starter_is_valid_without_a_warning_whatever_the_name() {
    for name in [
        "acme",
        "My Shop",
        "",
        "--",
        "Ünïcode",
        "../../etc",
        &"x".repeat(500),
    ] {
        let parsed = Estate::parse(&starter(name)).unwrap();
        assert_eq!(parsed.warnings, [], "{name}");
    }
    assert_eq!(
        Estate::parse(&starter("My Shop")).unwrap().estate.name,
        "my-shop"
    );
}

#[test]
fn starter_watches_first_but_asks_who_it_is() {
    let estate = Estate::parse(&starter("acme")).unwrap().estate;
    let modes = estate.routes[0].modes;
    assert_eq!(modes.inspect, Mode::Observe);
    assert_eq!(modes.authenticate, Mode::Block);
    assert_eq!(modes.authorise, Mode::Block);
}
