use super::*;
use crate::policy::Direction;
use crate::set::{Family, PerFamily};
use crate::space::Space;
use crate::tests::fleet::policy;

fn told(text: &str, form: Form) -> Result<(), (u32, String)> {
    let spaces = PerFamily::<Space>::default();
    let mut store = Store::new(&spaces);
    read(text, form, &mut store)
        .map(|_| ())
        .map_err(|not| (not.line, not.what))
}

/// A text around one set, one rule and one chain.
fn text(elements: &str, rule: &str) -> String {
    format!(
        "table inet rampart\ndelete table inet rampart\ntable inet rampart {{\n\
         \tcounter in_a {{\n\t}}\n\
         \tset zone_x_4 {{\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = {{{elements}}}\n\t}}\n\
         \tchain input_4 {{\n\t\t{rule}\n\t}}\n}}\n"
    )
}

const RULE: &str = "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept";

#[test]
fn what_we_write_is_read() {
    for artefact in policy().compile().unwrap() {
        assert_eq!(
            told(&artefact.rules, Form::Applied),
            Ok(()),
            "{}",
            artefact.host
        );
    }
    assert_eq!(told(&text(" 10.0.0.1 ", RULE), Form::Applied), Ok(()));
}

#[test]
fn elements_are_spelt_in_one_way() {
    for good in [
        " 10.0.0.1 ",
        " 10.0.0.0/8 ",
        " 10.0.0.1-10.0.0.4, 10.0.0.6 ",
        " 10.0.0.1,\n\t\t\t     10.0.0.3 ",
    ] {
        assert_eq!(told(&text(good, RULE), Form::Applied), Ok(()), "{good}");
    }
    for bad in [
        "",
        " ",
        "10.0.0.1",
        " 10.0.0.1",
        " 10.0.0.1, ",
        " 10.0.0.1,10.0.0.3 ",
        " 10.0.0.3, 10.0.0.1 ",
        " 10.0.0.1, 10.0.0.2 ",
        " 10.0.0.1, 10.0.0.1 ",
        " 10.0.0.1/8 ",
        " 10.0.0.1/33 ",
        " 10.0.0.0/08 ",
        " 010.0.0.1 ",
        " 10.1 ",
        " 10.0.0.9-10.0.0.1 ",
        " 10.0.0.0-10.255.255.255 ",
        " fd00::1 ",
        " ::ffff:10.0.0.1 ",
        " localhost ",
        " 10.0.0.1 timeout 1s ",
        " $x ",
        " 10.0.0.1 . 22 ",
        " 10.0.0.1 # x\n ",
        " 10.0.0.1, @zone_y ",
        " 10.0.0.1/32 ",
        " 10.0.0.1\r ",
    ] {
        let (line, what) = told(&text(bad, RULE), Form::Applied).unwrap_err();
        assert!((9..=10).contains(&line), "{bad:?}: line {line}: {what}");
    }
}

#[test]
fn anything_else_is_told_with_its_line() {
    for bad in [
        "accept",
        "ip saddr @zone_x_4 accept",
        "ip saddr @zone_x_4 tcp dport 22 accept",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" drop",
        "ip saddr != @zone_x_4 tcp dport 22 counter name \"in_a\" accept",
        "ip daddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept",
        "ip6 saddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp sport 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport != 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 65536 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 022 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport +22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport ssh counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 23-22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport { 22 } counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport { 23, 22 } counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 22, 24 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 sctp dport 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 icmp type echo-reply counter name \"in_a\" accept",
        "ip saddr @zone_x_4 icmpv6 type echo-request counter name \"in_a\" accept",
        "ip saddr @zone_x_4  tcp dport 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept;",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept # no",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" accept\r",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" \\",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_b\" accept",
        "ip saddr @zone_y_4 tcp dport 22 counter name \"in_a\" accept",
        "ip saddr @zone_x_4 tcp dport 22 counter name \"in_a\" log accept",
    ] {
        let (line, what) = told(&text(" 10.0.0.1 ", bad), Form::Applied).unwrap_err();
        assert_eq!(line, 12, "{bad}: {what}");
        assert!(!what.is_empty());
    }
}

#[test]
fn what_is_there_twice_is_refused() {
    let whole = text(" 10.0.0.1 ", RULE);
    for block in [
        "\tcounter in_a {\n\t}\n",
        "\tset zone_x_4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { 10.0.0.7 }\n\t}\n",
        "\tchain input_4 {\n\t}\n",
    ] {
        let twice = whole.replacen("\tchain input_4", &format!("{block}\tchain input_4"), 1);
        let (_, what) = told(&twice, Form::Applied).unwrap_err();
        assert!(what.contains("is there twice"), "{what}");
    }
}

#[test]
fn header_says_whether_a_text_replaces_or_was_listed() {
    let whole = text(" 10.0.0.1 ", RULE);
    let body = whole.split_once("delete table inet rampart\n").unwrap().1;
    assert_eq!(told(body, Form::Listed), Ok(()));
    assert_eq!(
        told(body, Form::Applied).unwrap_err().0,
        1,
        "it would be added to what is there"
    );
    assert_eq!(told(&whole, Form::Listed).unwrap_err().0, 1);
    for more in ["table inet other {\n}\n", "flush ruleset\n", "x"] {
        let (line, what) = told(&format!("{whole}{more}"), Form::Applied).unwrap_err();
        assert_eq!(line, 15, "{what}");
    }
    for (cut, _) in whole.match_indices('\n').rev().skip(1) {
        assert!(
            told(whole.get(..cut).unwrap(), Form::Applied).is_err(),
            "{cut}"
        );
    }
    assert!(told("", Form::Listed).is_err());
}

#[test]
fn listing_may_count_and_name_the_priority() {
    let policy = policy();
    let written = policy.compile_host("edge-1").unwrap().rules;
    let listed = written
        .split_once("delete table inet rampart\n")
        .unwrap()
        .1
        .replace(
            "\tcounter in_public {\n",
            "\tcounter in_public {\n\t\tpackets 5 bytes 300\n",
        )
        .replace("priority -10;", "priority filter - 10;")
        .replace("\t}\n\tchain", "\t}\n\n\tchain");
    let proof = policy.drift("edge-1", &listed).unwrap();
    assert!(proof.holds(), "{proof:?}");
    for (from, to) in [
        ("packets 5", "packets x"),
        ("filter - 10", "filter - 11"),
        ("filter - 10", "mangle"),
    ] {
        assert!(
            !policy
                .drift("edge-1", &listed.replacen(from, to, 1))
                .unwrap()
                .holds(),
            "{to}"
        );
    }
}

#[test]
fn rules_say_where_they_stand() {
    let spaces = PerFamily::<Space>::default();
    let mut store = Store::new(&spaces);
    let text = text(" 10.0.0.1 ", RULE);
    let rules = read(&text, Form::Applied, &mut store).unwrap();
    let [rule] = rules.rules(Direction::In, Family::V4) else {
        panic!("{rules:?}");
    };
    assert_eq!((rule.line, rule.text), (12, RULE));
    assert_eq!(rules.rules(Direction::Out, Family::V4).len(), 0);
}

#[test]
fn fuzz_reader_takes_any_bytes_without_a_panic() {
    let corpus: Vec<Vec<u8>> = policy()
        .compile()
        .unwrap()
        .into_iter()
        .map(|one| one.rules.into_bytes())
        .collect();
    let words: &[&[u8]] = &[
        b"{",
        b"}",
        b"elements = {",
        b"\n",
        b", ",
        b"chain ",
        b"set ",
        b"@",
        b"\"",
        b"::",
        b"/",
        b"-",
    ];
    let mut taken = 0;
    testkit::fuzz(3_000, &corpus, words, |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes) {
            for form in [Form::Applied, Form::Listed] {
                match told(text, form) {
                    Ok(()) => taken += 1,
                    Err((line, what)) => {
                        assert!(!what.is_empty() && line as usize <= text.lines().count() + 1);
                    }
                }
            }
        }
    });
    assert!(taken > 0);
}
