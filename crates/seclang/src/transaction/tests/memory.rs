//! Memory that exchanges share, and values that are kept once.

use super::*;

#[test]
fn memory_of_an_exchange_is_the_next_ones_and_says_nothing_of_it() {
    let text = "SecRule ARGS|REQUEST_HEADERS \"@rx secret\" \"id:1,phase:2,pass,t:lowercase\"\n\
        SecRule &ARGS \"@eq 1\" \"id:2,phase:2,pass\"\nSecRule ARGS:a \"@streq x\" \"id:3,phase:2,pass\"";
    let rules = rules(text);
    let asks = [
        get("/?a=SECRET&b=1"),
        get("/?a=x"),
        get("/"),
        get("/?c=+Secret+"),
    ];
    let fresh: Vec<Vec<u64>> = asks.iter().map(|ask| matched(text, ask)).collect();
    assert_eq!(fresh, [vec![1], vec![2, 3], vec![], vec![1, 2]]);
    for (ask, fresh) in asks.iter().zip(&fresh).cycle().take(12) {
        let done = run(&rules, ask);
        assert_eq!(ids(&done), *fresh, "{}", ask.target);
        let asked = |name| done.tx(name);
        assert_eq!(asked("0"), None);
        drop(done);
        assert_eq!(rules.spare.len(), (1, 1));
    }
    // Two at a time have their own; more than is worth keeping goes.
    let (one, other) = (run(&rules, &asks[0]), run(&rules, &asks[1]));
    assert_eq!(
        (ids(&one), ids(&other)),
        (fresh[0].clone(), fresh[1].clone())
    );
    // While they wait for their services nothing is on their desks.
    assert_eq!(rules.spare.len(), (0, 1));
    drop((one, other));
    assert_eq!(rules.spare.len(), (2, 1));
    let (begun, other) = (begin(&rules), begin(&rules));
    drop((begun, other));
    assert_eq!(rules.spare.len(), (2, 2));
    let mut long = begin(&rules);
    long.set(Variable::QueryString, &vec![b'a'; 1 << 20]);
    drop(long);
    assert_eq!(rules.spare.len(), (1, 2));
}

#[test]
fn values_that_are_alike_are_each_told_of() {
    let text = "SecRule ARGS \"@streq evil\" \"id:1,phase:2,pass,log,t:lowercase\"\n\
        SecRule &ARGS \"@eq 400\" \"id:2,phase:2,pass\"";
    let rules = rules(text);
    let pairs: Vec<String> = (0..400)
        .map(|at| format!("a{at}={}", if at % 4 == 3 { "EVIL" } else { "good" }))
        .collect();
    let target = format!("/?{}", pairs.join("&"));
    let done = run(&rules, &get(target.leak()));
    let targets = done.matches()[0].found.iter().map(|found| &found.target);
    let names: Vec<String> = targets
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let first: Vec<String> = (0..16).map(|at| format!("ARGS:a{}", at * 4 + 3)).collect();
    assert_eq!(names, first);
    assert_eq!(ids(&done), [1, 2]);
}

#[test]
fn a_value_is_only_the_one_before_when_every_byte_is() {
    let rules = rules("SecAction \"id:1,phase:1,pass\"");
    let mut values = Values::new(&rules);
    for round in 0..3_u32 {
        for at in 0..2_000_u32 {
            let text = format!("{}", at.wrapping_mul(2_654_435_761) % 700);
            let id = values.keep(text.as_bytes());
            assert_eq!(values.get(id), text.as_bytes(), "{round} {at}");
        }
        values.clear();
    }
}

/// Ways to look at arguments; each rule counts what it matches.
const LOOKS: &[&str] = &[
    "ARGS \"@rx evil\" \"",
    "ARGS \"!@rx evil\" \"",
    "ARGS \"@rx ^(e)vil$\" \"capture,setvar:tx.seen=+%{TX.1}1,",
    "ARGS|!ARGS:/^x/ \"@contains evil\" \"t:lowercase,",
    "ARGS|!ARGS:/1$/ \"!@streq good\" \"",
    "ARGS:/^a/|ARGS_NAMES \"@rx ^[a-m]\" \"t:urlDecodeUni,t:lowercase,multiMatch,",
    "ARGS \"!@streq evil\" \"t:urlDecodeUni,t:lowercase,multiMatch,",
    "ARGS \"@eq 4\" \"t:length,",
    "ARGS \"@pm evil worse\" \"t:urlDecodeUni,",
    "ARGS \"@within good,1234\" \"",
    "ARGS \"@rx ^$\" \"t:removeWhitespace,",
    "ARGS_NAMES \"@rx 7\" \"",
];

#[test]
fn long_lists_that_repeat_themselves_match_as_often_as_each_argument_alone() {
    let mut text = String::new();
    for (at, look) in LOOKS.iter().enumerate() {
        text += &format!("SecRule {look}id:{at}1,phase:2,pass,nolog,setvar:tx.n{at}=+1\"\n");
    }
    let rules = rules(&text);
    let counts = |target: String| -> Vec<i64> {
        let done = run(&rules, &get(target.leak()));
        let count = |at| {
            done.tx(&format!("n{at}"))
                .map_or(0, |text| crate::bytes::number(&text))
        };
        (0..LOOKS.len()).map(count).collect()
    };
    let values = [
        "good",
        "evil",
        "EVIL",
        "%2565vil",
        "",
        "+",
        "worse+evil",
        "1234",
        "a%2541",
    ];
    let mut random = testkit::Mutator::new(3);
    for _ in 0..12 {
        let pairs: Vec<String> = (0..180)
            .map(|at| {
                let value = values[random.below(values.len())];
                format!("{}{at}={value}", ["a", "x", "n"][random.below(3)])
            })
            .collect();
        let mut alone = vec![0; LOOKS.len()];
        for pair in &pairs {
            for (sum, count) in alone.iter_mut().zip(counts(format!("/?{pair}"))) {
                *sum += count;
            }
        }
        assert!(alone.iter().all(|count| *count > 0), "{alone:?}");
        assert_eq!(counts(format!("/?{}", pairs.join("&"))), alone);
    }
}

#[test]
fn what_is_only_counted_is_not_copied() {
    let mut text = "SecRule ARGS \"@rx (.*)\" \"id:1,phase:2,pass,nolog,capture\"\n".to_owned();
    for at in 2..60 {
        text += &format!("SecRule &TX \"@gt 1000\" \"id:{at},phase:2,pass\"\n");
    }
    let rules = rules(&text);
    let done = run(&rules, &get(format!("/?a={}", "x".repeat(10_000)).leak()));
    assert_eq!(done.tx("0").map(|text| text.len()), Some(10_000));
    assert!(done.values.memory_bytes() < 200_000);
}
