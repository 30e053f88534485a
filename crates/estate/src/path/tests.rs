use super::*;

fn pattern(text: &str) -> PathPattern {
    text.parse().unwrap()
}

#[test]
fn patterns_are_segments() {
    assert_eq!(pattern("/").segments, []);
    let expected = [
        Segment::Literal("api".to_owned()),
        Segment::One,
        Segment::Rest,
    ];
    assert_eq!(pattern("/api/*/**").segments, expected);
    assert_eq!(pattern("/**").to_string(), "/**");
}

#[test]
fn literals_stand_as_the_canonical_path_has_them() {
    for right in [
        "/caf%C3%A9",
        "/a%20b",
        "/~user/x.html",
        "/a;b=c",
        "/(x)",
        "/@scope/pkg",
    ] {
        assert_eq!(pattern(right).to_string(), right);
    }
    for (wrong, error) in [
        ("/%41", ParsePatternError::Encoding),
        ("/%2F", ParsePatternError::Encoding),
        ("/%00", ParsePatternError::Encoding),
        ("/%5C", ParsePatternError::Encoding),
        ("/%c3%a9", ParsePatternError::Encoding),
        ("/%4", ParsePatternError::Encoding),
        ("/caf\u{e9}", ParsePatternError::Character('\u{e9}')),
        ("/a b", ParsePatternError::Character(' ')),
        ("/a?b", ParsePatternError::Character('?')),
        ("/a\\b", ParsePatternError::Character('\\')),
        ("", ParsePatternError::NotAbsolute),
        ("//a", ParsePatternError::EmptySegment),
        ("/a/", ParsePatternError::EmptySegment),
        ("/./a", ParsePatternError::DotSegment),
        ("/a/..", ParsePatternError::DotSegment),
        ("/**/a", ParsePatternError::RestNotLast),
        ("/a*", ParsePatternError::PartialWildcard),
        ("/***", ParsePatternError::PartialWildcard),
    ] {
        assert_eq!(PathPattern::parse(wrong), Err(error), "{wrong}");
    }
    let long = format!("/{}", "a/".repeat(64));
    assert_eq!(
        PathPattern::parse(&format!("{long}a")),
        Err(ParsePatternError::TooLong)
    );
}

#[test]
fn covering_patterns_match_everything_the_other_does() {
    for (wide, narrow, covers) in [
        ("/**", "/", true),
        ("/**", "/a/*/**", true),
        ("/a/**", "/a", true),
        ("/a/*", "/a/b", true),
        ("/a/*", "/a/**", false),
        ("/a/b", "/a/*", false),
        ("/*", "/", false),
        ("/a", "/a/b", false),
    ] {
        assert_eq!(
            pattern(wide).covers(&pattern(narrow)),
            covers,
            "{wide} {narrow}"
        );
    }
}

#[test]
fn more_specific_patterns_sort_first() {
    let mut all = ["/**", "/a/**", "/*", "/a/*", "/a/b"].map(pattern);
    all.sort();
    let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["/a/b", "/a/*", "/a/**", "/*", "/**"]);
}
