use proptest::prelude::*;

use super::{Places, address, lines, plain, said};

#[test]
fn addresses_lose_what_may_be_a_password() {
    let cases = [
        ("https://host/a", "https://host/a"),
        ("https://me:word@host/a@b", "https://host/a@b"),
        ("https://a@b@host/", "https://host/"),
        ("https://host/a?token=word", "https://host/a"),
        ("ssh://git@host:22/a.git", "ssh://host:22/a.git"),
        ("https://me:word@host", "https://host"),
        ("../folder", "../folder"),
        ("a\nb", "a\\u{a}b"),
    ];
    for (text, expected) in cases {
        assert_eq!(address(text), expected);
    }
}

#[test]
fn what_is_said_stands_on_one_line_and_is_short() {
    assert_eq!(said("a\tb\u{202e}c\u{2028}"), "a\\u{9}b\\u{202e}c\\u{2028}");
    assert_eq!(said(&"é".repeat(500)).chars().count(), 121);
    assert_eq!(plain("é x"), "é x");
}

proptest! {
    #[test]
    fn places_are_those_that_counting_finds(text in "[a\né]{0,3000}") {
        let places = Places::of(&text);
        for (offset, _) in text.char_indices().chain([(text.len(), ' ')]).step_by(97) {
            let before = text.get(..offset).unwrap();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
            let expected = (u32::try_from(line).unwrap(), u32::try_from(column).unwrap());
            prop_assert_eq!(places.mark(offset), expected);
            prop_assert_eq!(places.line(offset), expected.0);
        }
        prop_assert_eq!(lines(&text).count(), text.matches('\n').count() + 1);
    }
}
