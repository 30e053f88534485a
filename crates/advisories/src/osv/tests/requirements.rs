//! Requirements, and what they leave out.

use super::super::Event;
use super::super::requirement::{left_out, parse};

fn shape(requirements: &[&str]) -> String {
    let taken = requirements.iter().map(|text| parse(text).unwrap());
    let events = left_out(taken.flatten().collect());
    let words = events.iter().map(|event| match event {
        Event::Introduced(version) => format!("[{version}"),
        Event::Fixed(version) => format!("{version})"),
        Event::LastAffected(version) => format!("{version}]"),
        Event::Limit(version) => format!("!{version}"),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_no_requirement_takes_in_is_affected() {
    for (requirements, left) in [
        (&[][..], "[0"),
        (&[">= 1.2.3"], "[0 1.2.3)"),
        (&["> 1.2.3"], "[0 1.2.3]"),
        (&["< 1.0.0", ">= 1.2.3"], "[1.0.0 1.2.3)"),
        (&["<= 1.0.0", ">= 1.2.3"], "[1.0.1-0 1.2.3)"),
        (&["<= 1.0.0-rc.1"], "[1.0.0-rc.1.0"),
        (&["^1.2.3", ">= 2.0.1"], "[0 1.2.3) [2.0.0-0 2.0.1)"),
        (&["^0.2.3", "^0.0.4"], "[0 0.0.4) [0.0.5-0 0.2.3) [0.3.0-0"),
        (&["1.2.3"], "[0 1.2.3) [2.0.0-0"),
        (&["~1.2.3", "~2.1"], "[0 1.2.3) [1.3.0-0 2.1.0) [2.2.0-0"),
        (&["=1.2.3", "= 1.2.4"], "[0 1.2.3) [1.2.4-0 1.2.4) [1.2.5-0"),
        (&["=1.2"], "[0 1.2.0) [1.3.0-0"),
        (&["1.2.*"], "[0 1.2.0) [1.3.0-0"),
        (&["> 1.2"], "[0 1.3.0)"),
        (&["<= 1"], "[2.0.0-0"),
        (&["*"], ""),
        (&[">= 1.0, < 2.0", ">= 1.5.0, < 3.0"], "[0 1.0.0) [3.0.0"),
        (&[">= 3.0.0, < 2.0.0"], "[0"),
        (&[">= 2.0.0", ">= 1.0.0"], "[0 1.0.0)"),
        (
            &[">= 99999999999999999999.0.0"],
            "[0 99999999999999999999.0.0)",
        ),
        (&["^ 9.0.0", ">=9.9.99"], "[0 9.0.0)"),
    ] {
        assert_eq!(shape(requirements), left, "{requirements:?}");
    }
}

#[test]
fn what_is_no_requirement_is_an_error() {
    let many = ["1.0.0"; 40].join(",");
    for text in [
        "",
        "a",
        ">=",
        "=> 1.0",
        ">= 1.0.0.0",
        "1.0-",
        ">= 1.0.0,",
        ">= *",
        "^1.0 || ^2.0",
        ">= 01.0.0",
        "1.2-a",
        &many,
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}
