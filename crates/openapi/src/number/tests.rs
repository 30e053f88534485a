use proptest::prelude::*;

use super::*;

fn number(text: &str) -> Decimal {
    Decimal::parse(text).unwrap_or_else(|| panic!("`{text}` is a number"))
}

#[test]
fn what_is_written_differently_is_equal_when_it_is_the_same_number() {
    for (one, other) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("0", "-0.00"),
        ("0.1", "1E-1"),
        ("12300e-2", "123"),
        ("9007199254740993", "9007199254740993.0"),
    ] {
        assert_eq!(number(one), number(other), "{one} {other}");
    }
    assert_ne!(number("9007199254740993"), number("9007199254740992"));
}

#[test]
fn what_is_no_number_of_json_is_none() {
    for text in [
        "", "-", "01", "+1", ".5", "5.", "1e", "1e+", "1e+-2", "0x1", "1_0", "NaN", "1e10000",
        "--1", "1e1e1",
    ] {
        assert_eq!(Decimal::parse(text), None, "{text}");
    }
}

#[test]
fn multiples_are_exact() {
    let divides =
        |by: &str, value: &str| Divisor::new(&number(by)).unwrap().divides(&number(value));
    assert!(divides("0.01", "0.07"));
    assert!(divides("0.01", "19.99"));
    assert!(divides("0.0001", "0.0075"));
    assert!(!divides("0.0001", "0.00751"));
    assert!(!divides("3", "1e3000"));
    assert!(divides("7", "49e9000"));
    assert!(divides("1.5", "4.5"));
    assert!(!divides("1.5", "35"));
    assert!(divides("0.5", "1e308"));
    assert!(!divides("0.123456789", "1e308"));
    assert!(Divisor::new(&number("0")).is_none());
    assert!(Divisor::new(&number("-1")).is_none());
    assert!(Divisor::new(&number("1234567890123456789")).is_none());
}

proptest! {
    #[test]
    fn order_is_the_order_of_integers(a in any::<i64>(), b in any::<i64>()) {
        prop_assert_eq!(number(&a.to_string()).cmp(&number(&b.to_string())), a.cmp(&b));
        prop_assert_eq!(number(&a.to_string()).to_i64(), Some(a));
    }

    #[test]
    fn order_of_fractions_is_that_of_scaled_integers(a in -100_000i64..100_000, b in -100_000i64..100_000) {
        let text = |n: i64| format!("{}e-3", n);
        prop_assert_eq!(number(&text(a)).cmp(&number(&text(b))), a.cmp(&b));
    }

    #[test]
    fn what_is_shown_reads_as_the_same(n in any::<i64>(), e in -40i32..40) {
        let value = number(&format!("{n}e{e}"));
        prop_assert_eq!(number(&value.to_string()), value);
    }

    #[test]
    fn multiples_are_those_of_integers(value in any::<i64>(), by in 1i64..1_000_000_000) {
        let divisor = Divisor::new(&number(&by.to_string())).unwrap();
        prop_assert_eq!(divisor.divides(&number(&value.to_string())), value % by == 0);
    }

    #[test]
    fn no_text_is_a_panic(text in "[-+0-9.eE]{0,12}|.{0,8}") {
        let ours = Decimal::parse(&text).is_some();
        let theirs = serde_json::from_str::<serde_json::Number>(&text).is_ok() && text.trim() == text;
        // Theirs refuses what no binary fraction can hold.
        prop_assert!(ours == theirs || text.contains(['e', 'E']));
    }
}
