use proptest::prelude::*;

use super::*;

fn pattern(text: &str) -> Pattern {
    Pattern::new(text, 1 << 20).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn patterns_mean_what_ecma_262_says() {
    for (text, yes, no) in [
        (r"^\d+$", "123", "१२३"),
        (r"^\w+$", "a_9", "é"),
        (r"^\s$", "\u{feff}", "\u{180e}"),
        (r"^.$", "é", "\u{2028}"),
        (r"^[^]$", "\n", "ab"),
        (r"^a{2}$", "aa", "a{2}"),
        (r"^a{,2}$", "a{,2}", "a"),
        (r"^{a}$", "{a}", "a"),
        (r"^[a&&b]+$", "a&&b", "c"),
        (r"^[[]$", "[", "]"),
        (r"^[\w-]+$", "a-b", "a b"),
        (r"^[a\-z]+$", "a-z", "b"),
        (r"^\u0041\x42\u{43}\cJ$", "ABC\n", "ABCJ"),
        (r"^\ud83d\ude00$", "😀", "x"),
        (r"^\/x\/$", "/x/", "\\/x"),
        (r"^\p{Lu}\p{Script=Greek}$", "Aα", "aa"),
        (r"\bcat\b", "a cat!", "concat"),
        (r"^(?<year>[0-9]{4})$", "2026", "26"),
        (r"^(?:a|b)$", "b", "c"),
        (r"a$", "ba", "a\n"),
        (
            r"^(?=.*[a-z])(?=.*\d)(?!.*\s).{8,}$",
            "abcdefg1",
            "abcdefgh",
        ),
        (r"^(?!admin$)[a-z]+$", "administrator", "admin"),
        (r"^(?=a|b)", "bx", "cx"),
    ] {
        assert!(pattern(text).matches(yes), "{text} matches {yes:?}");
        assert!(!pattern(text).matches(no), "{text} does not match {no:?}");
    }
}

#[test]
fn what_cannot_run_in_linear_time_is_refused() {
    for text in [
        r"(a)\1",
        r"(?<x>a)\k<x>",
        r"a(?=b)",
        r"(?<=a)b",
        r"(?<!a)b",
        r"^(?=a)b|c",
        r"\B",
        r"\z",
        r"\A",
        r"(?i)a",
        "[",
        "(",
        r"\ud800",
        r"\p{Nothing}",
        r"\p",
        "x{99999}{99999}",
        "[b-a]",
        r"^(?=a",
    ] {
        assert!(Pattern::new(text, 1 << 20).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_pattern_is_a_panic(text in "[\\\\dwspuxcbk0-9{}()\\[\\]?=!<>:^$.*+|,a-c&~\\-é]{0,16}", value in ".{0,8}") {
        if let Ok(pattern) = Pattern::new(&text, 1 << 16) {
            let _ = pattern.matches(&value);
        }
    }

    #[test]
    fn a_literal_matches_itself_alone(value in "[a-z0-9 _é😀]{1,8}") {
        let pattern = pattern(&format!("^{value}$"));
        let other = format!("{value}x");
        prop_assert!(pattern.matches(&value));
        prop_assert!(!pattern.matches(&other));
    }
}
