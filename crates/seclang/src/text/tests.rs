use super::lines::{Line, logical};
use super::targets::{Mode, Selector};
use super::{actions, targets, words};
use crate::template::{Piece, Template, TxNames};
use crate::text::actions::{Disruptive, Set};

#[test]
fn lines_continue_and_comments_do_not() {
    let text = b"# a comment \\\nSecA \\\n  b \\\n c\n\n   # more\r\nSecB d\r\n";
    let line = |number, text: &[u8]| Line {
        number,
        text: text.to_vec(),
    };
    assert_eq!(logical(text), [line(2, b"SecA b c"), line(7, b"SecB d")]);
    assert_eq!(logical(b"SecA \\"), [line(1, b"SecA ")]);
    assert_eq!(logical(b"\xef\xbb\xbfSecA"), [line(1, b"SecA")]);
    assert!(logical(b"\n \\\n \n").is_empty());
}

#[test]
fn words_keep_what_stands_in_quotes() {
    let words = |text: &[u8]| words::words(text).unwrap();
    assert_eq!(
        words(br#"SecRule ARGS "@rx a\"b\\c" 'x y'"#),
        [&b"SecRule"[..], b"ARGS", br#"@rx a"b\\c"#, b"x y"]
    );
    assert_eq!(words(b"  A\tb "), [b"A", b"b"]);
    assert!(words::words(b"A \"b").is_err());
    assert!(words::words(b"A \"b\"c").is_err());
}

#[test]
fn targets_have_selectors_signs_and_patterns() {
    let mut names = TxNames::default();
    let read = targets::parse(
        br"ARGS|!ARGS:Token|&REQUEST_HEADERS:Host|TX:/^a|b$/|XML://@*|XML:/*|TX.score",
        &mut names,
    )
    .unwrap();
    let shown: Vec<(&str, Mode)> = read
        .iter()
        .map(|target| (target.variable.name(), target.mode))
        .collect();
    assert_eq!(
        shown,
        [
            ("ARGS", Mode::Value),
            ("ARGS", Mode::Exclude),
            ("REQUEST_HEADERS", Mode::Count),
            ("TX", Mode::Value),
            ("XML", Mode::Value),
            ("XML", Mode::Value),
            ("TX", Mode::Value),
        ]
    );
    assert!(matches!(&read[1].selector, Selector::Name(name) if **name == *b"token"));
    assert!(matches!(&read[3].selector, Selector::Pattern(_)));
    assert!(matches!(&read[4].selector, Selector::XmlAttributes));
    assert!(matches!(&read[6].selector, Selector::Slot(_)));
}

#[test]
fn targets_that_mean_nothing_are_refused() {
    let refused =
        |text: &str| targets::parse(text.as_bytes(), &mut TxNames::default()).expect_err(text);
    assert_eq!(
        refused("REQUEST_HEADRES").hint,
        "did you mean `REQUEST_HEADERS`?"
    );
    for text in [
        "",
        "ARGS||TX",
        "ARGS:",
        "REQUEST_LINE:x",
        "XML",
        "XML:/a/b",
        "TX:/(/",
        "GEO:COUNTRY_CODE",
    ] {
        refused(text);
    }
}

#[test]
fn actions_are_read() {
    let mut names = TxNames::default();
    let text = b"id:'12', phase:request,deny,status:404,msg:'a, \\'b\\'',t:none,t:lowercase,multiMatch,\
        tag:x,tag:'y',severity:'CRITICAL',setvar:'tx.a=+%{tx.b}',setvar:!tx.c,setvar:tx.d,skipAfter:END,nolog,capture";
    let read = actions::parse(text, &mut names).unwrap();
    assert_eq!(
        (read.id, read.phase, read.status, read.severity),
        (Some(12), Some(2), Some(404), Some(2))
    );
    assert_eq!(read.disruptive, Some(Disruptive::Deny));
    assert_eq!(read.message.unwrap().constant(), Some(&b"a, 'b'"[..]));
    assert_eq!(read.tags.len(), 2);
    assert_eq!(read.skip_after.as_deref(), Some(&b"END"[..]));
    assert_eq!(read.log, Some(false));
    assert!(read.capture && read.multi_match && read.only_own_transformations);
    let sets: Vec<bool> = read
        .sets
        .iter()
        .map(|set| matches!(set.set, Set::Unset))
        .collect();
    assert_eq!(sets, [false, true, false]);
}

#[test]
fn actions_that_are_none_are_refused() {
    let refused =
        |text: &str| actions::parse(text.as_bytes(), &mut TxNames::default()).expect_err(text);
    assert_eq!(refused("idd:1").hint, "did you mean `id`?");
    assert_eq!(refused("t:lowercaze").hint, "did you mean `lowercase`?");
    for text in [
        "id:x",
        "phase:6",
        "phase:0",
        "status:99",
        "severity:BAD",
        "setvar:a",
        "setvar:ARGS.a=1",
        "ctl:x=1",
        "ctl:ruleEngine=Maybe",
        "ctl:ruleRemoveById=x",
        "ctl:ruleRemoveTargetById=1",
        "exec:/x",
        "msg:'open",
        "initcol:tx=1",
        "msg:'%{NOPE}'",
        "proxy:x",
        "skip:-1",
        "allow:all",
    ] {
        refused(text);
    }
}

#[test]
fn macros_are_taken_apart_once() {
    let mut names = TxNames::default();
    let template = Template::parse(
        b"a %{tx.Score} %{REQUEST_HEADERS.host}%{unclosed",
        &mut names,
    )
    .unwrap();
    let slot = names.find(b"score").unwrap();
    assert_eq!(template.pieces[1], Piece::Tx(slot));
    assert!(matches!(&template.pieces[3], Piece::Variable(_, Some(name)) if **name == *b"host"));
    assert_eq!(template.pieces[4], Piece::Text(b"%{unclosed"[..].into()));
}
