//! What is told of a value that a rule met.

use super::*;

/// What was found of the first match: the piece, what stands before it, and the part in it.
fn told(rule: &str, value: &str) -> (usize, usize, Option<String>) {
    let text = format!("SecRule ARGS \"{rule}\" \"id:1,phase:2,pass,log,t:lowercase\"");
    let target = format!("/?a={value}");
    let rules = rules(&text);
    let done = run(&rules, &get(target.leak()));
    let found = &done.matches()[0].found[0];
    let part = found.matched.clone().map(|range| &found.value[range]);
    let part = part.map(|part| String::from_utf8_lossy(part).into_owned());
    (found.value.len(), found.begins, part)
}

#[test]
fn what_a_pattern_or_a_phrase_found_is_told_as_the_operator_saw_it() {
    let part = |rule: &str| told(rule, "one+TWO+three").2;
    assert_eq!(part("@rx t[a-z]o"), Some("two".to_owned()));
    assert_eq!(part("@pm nothing two"), Some("two".to_owned()));
    assert_eq!(
        part("@rx ^one two three$"),
        Some("one two three".to_owned())
    );
    assert_eq!(part("@contains two"), None, "as a whole");
    assert_eq!(part("!@rx four"), None, "nothing was found");
}

#[test]
fn of_a_long_value_the_piece_with_what_was_found_is_told() {
    let long =
        |before: usize, after: usize| format!("{}evil{}", "x".repeat(before), "y".repeat(after));
    let evil = || Some("evil".to_owned());
    assert_eq!(told("@rx evil", &long(100, 100)), (204, 0, evil()));
    assert_eq!(told("@rx evil", &long(8000, 4000)), (4096, 7744, evil()));
    assert_eq!(told("@rx evil", &long(8000, 0)), (4096, 3908, evil()));
    assert_eq!(told("@rx evil", &long(0, 8000)), (4096, 0, evil()));
    assert_eq!(
        told("@rx evil", &long(8000, 9000)),
        (4096, 0, None),
        "too long"
    );
    let (length, begins, part) = told("@rx e.*", &long(300, 9000));
    assert_eq!((length, begins), (4096, 44));
    assert_eq!(part.unwrap().len(), 4096 - 256, "cut where the piece ends");
}
