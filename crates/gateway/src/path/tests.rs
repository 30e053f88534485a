use percent_encoding::percent_decode_str;
use proptest::prelude::*;

use super::*;

#[test]
fn spellings_that_mean_the_same_become_one() {
    for (path, settled) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/", "/a/"),
        ("/%41%7a", "/Az"),
        ("/a%3Db", "/a=b"),
        ("/a%3ab%40c", "/a:b@c"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ("/100%25", "/100%25"),
        ("/100%25x", "/100%25x"),
        ("/a..b/...", "/a..b/..."),
        ("/;x=1", "/;x=1"),
    ] {
        assert_eq!(canonical(path).as_deref(), Ok(settled), "{path}");
    }
}

#[test]
fn canonical_path_is_borrowed() {
    for path in ["/", "/a/b;c=d", "/caf%C3%A9", "/a%20b/"] {
        assert!(matches!(canonical(path), Ok(Cow::Borrowed(_))), "{path}");
    }
}

#[test]
fn what_two_programs_read_differently_is_refused() {
    for (path, error) in [
        ("", PathError::NotAbsolute),
        ("a", PathError::NotAbsolute),
        ("*", PathError::NotAbsolute),
        ("/a%2fb", PathError::EncodedSlash),
        ("/a%2Fb", PathError::EncodedSlash),
        ("/a\\b", PathError::Backslash),
        ("/a%5cb", PathError::Backslash),
        ("/a%00", PathError::Null),
        ("/a%0a", PathError::Control),
        ("/a%7f", PathError::Control),
        ("/..", PathError::DotSegment),
        ("/a/../b", PathError::DotSegment),
        ("/a/./b", PathError::DotSegment),
        ("/a/%2e%2e/b", PathError::DotSegment),
        ("/a/.%2E/", PathError::DotSegment),
        ("/a/..;/b", PathError::DotSegment),
        ("/a/..;x=1/b", PathError::DotSegment),
        ("//a", PathError::EmptySegment),
        ("//", PathError::EmptySegment),
        ("/a//b", PathError::EmptySegment),
        ("/a//", PathError::EmptySegment),
        ("/;/a", PathError::EmptySegment),
        ("/a/;x=1/b", PathError::EmptySegment),
        ("/a%", PathError::BadEncoding),
        ("/a%4", PathError::BadEncoding),
        ("/a%zz", PathError::BadEncoding),
        ("/a%+1", PathError::BadEncoding),
        ("/a%252e%252e/b", PathError::DoubleEncoding),
        ("/a%252f", PathError::DoubleEncoding),
        ("/a%25%32%66", PathError::DoubleEncoding),
        ("/a%25%32e%252e/b", PathError::DoubleEncoding),
        ("/a%252%65%25%32%65/b", PathError::DoubleEncoding),
        ("/a%ff", PathError::InvalidUtf8),
        ("/a%c0%af", PathError::InvalidUtf8),
        ("/%c3/%a9", PathError::InvalidUtf8),
        ("/a b", PathError::Character),
        ("/a<b", PathError::Character),
        ("/é", PathError::Character),
    ] {
        assert_eq!(canonical(path), Err(error), "{path}");
    }
}

proptest! {
    #[test]
    fn canonical_form_is_stable_and_means_the_same(path in "/[ -~é]{0,40}") {
        if let Ok(settled) = canonical(&path) {
            let again = canonical(&settled);
            prop_assert_eq!(again.as_deref(), Ok(&*settled));
            let decode = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
            prop_assert_eq!(decode(&path), decode(&settled));
        }
    }

    #[test]
    fn any_text_is_answered(path in any::<String>()) {
        drop(canonical(&path));
    }
}
