//! What is known about rules beforehand changes nothing but how fast they run.

use testkit::Mutator;

use super::*;

/// Actions of a rule over a few variables, so that rules meet often.
fn actions(id: usize, random: &mut Mutator) -> String {
    let mut out = String::new();
    // A marker is one that follows.
    let marker = 1 + id / 9;
    for _ in 0..random.below(3) {
        let (to, from) = (name(random), name(random));
        let set = match random.below(7) {
            0 | 1 => format!("setvar:tx.{to}={}", random.below(3)),
            2 => format!("setvar:tx.{to}=+{}", random.below(3)),
            3 => format!("setvar:'tx.{to}=%{{tx.{from}}}'"),
            4 => format!("setvar:'tx.{to}=-%{{tx.{from}}}'"),
            5 => format!("setvar:'tx.%{{tx.{from}}}{to}=1'"),
            _ => format!("setvar:!tx.{to}"),
        };
        out.push_str(&format!(",{set}"));
    }
    match random.below(14) {
        0 | 1 => out.push_str(&format!(",skipAfter:M{marker}")),
        2 => out.push_str(&format!(",skip:{}", 1 + random.below(2))),
        3 => out.push_str(&format!(",ctl:ruleRemoveById={}", 1 + random.below(20))),
        4 => out.push_str(&format!(
            ",ctl:ruleRemoveTargetById={};{}",
            1 + random.below(20),
            target(random).trim_start_matches('&')
        )),
        5 => out.push_str(",capture"),
        6 => out.push_str(",severity:3"),
        _ => {}
    }
    out
}

fn name(random: &mut Mutator) -> &'static str {
    random.pick(&["a", "b", "c"]).unwrap()
}

fn target(random: &mut Mutator) -> String {
    match random.below(40) {
        0..4 => "ARGS:x".to_owned(),
        4 => "MATCHED_VAR".to_owned(),
        5..9 => "TX:/^[ab]$/".to_owned(),
        9..16 => format!("&TX:{}", name(random)),
        _ => format!("TX:{}", name(random)),
    }
}

fn operator(random: &mut Mutator) -> String {
    let not = if random.below(5) == 0 { "!" } else { "" };
    let name = random.pick(&["@eq", "@lt", "@ge", "@streq"]).unwrap();
    match random.below(5) {
        0 => format!("{not}{name} %{{tx.a}}"),
        _ => format!("{not}{name} {}", random.below(3)),
    }
}

fn program(random: &mut Mutator) -> String {
    let mut text = String::new();
    for id in 1..=20 {
        let phase = if id <= 12 { 1 } else { 2 };
        let log = if random.below(3) == 0 { "log" } else { "nolog" };
        let end = if random.below(12) == 0 {
            "deny"
        } else {
            "pass"
        };
        let actions = actions(id, random);
        let head = format!("\"id:{id},phase:{phase},{end},{log},t:none{actions}");
        let rule = match random.below(6) {
            0 | 1 => format!("SecAction {head}\"\n"),
            2 if !actions.contains("capture") => format!(
                "SecRule {} \"{}\" {head},chain\"\nSecRule {} \"{}\" \"setvar:tx.{}=1\"\n",
                target(random),
                operator(random),
                target(random),
                operator(random),
                name(random)
            ),
            _ => format!(
                "SecRule {} \"{}\" {head}\"\n",
                target(random),
                operator(random)
            ),
        };
        text.push_str(&rule);
        match id {
            8 | 17 | 20 => text.push_str(&format!("SecMarker M{}\n", 1 + id / 9)),
            _ => {}
        }
    }
    text
}

/// Everything that can be seen of an exchange.
fn told(rules: &Ruleset, ask: &Ask) -> String {
    let mut transaction = run(rules, ask);
    transaction.finish();
    let kept = ["a", "b", "c", "0"].map(|name| transaction.tx(name));
    format!(
        "{:?} {kept:?} {:?} {:?}",
        transaction.matches(),
        transaction.interruption(),
        transaction.state.highest_severity
    )
}

#[test]
fn knowledge_beforehand_changes_nothing_that_can_be_seen() {
    let mut random = Mutator::new(7);
    let (mut fewer, mut unfolded) = (0, 0);
    for _ in 0..3_000 {
        let text = program(&mut random);
        let mut rules = rules(&text);
        let steps = |rules: &Ruleset| rules.folded.iter().flatten().count();
        let asks = ["/?x=1", "/?x=0", "/"].map(get);
        let known: Vec<String> = asks.iter().map(|ask| told(&rules, ask)).collect();
        unfolded += usize::from(asks.iter().any(|ask| run(&rules, ask).state.unfolded));
        let before = steps(&rules);
        rules.ask_everything();
        fewer += usize::from(before < steps(&rules));
        for (ask, known) in asks.iter().zip(known) {
            assert_eq!(told(&rules, ask), known, "{}\n{text}", ask.target);
        }
    }
    // Both ways were gone.
    assert!(fewer > 1_000 && unfolded > 100, "{fewer} {unfolded}");
}

#[test]
fn what_rules_always_set_is_one_step() {
    let rules = rules(
        "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1,setvar:tx.a=5\"\n\
         SecRule &TX:b \"@eq 0\" \"id:2,phase:1,pass,nolog,setvar:'tx.b=%{tx.a}'\"\n\
         SecRule TX:level \"@lt 2\" \"id:3,phase:1,pass,nolog,skipAfter:END\"\n\
         SecRule ARGS evil \"id:4,phase:1,deny\"\n\
         SecMarker END\n\
         SecAction \"id:5,phase:1,pass,nolog,setvar:tx.a=+1\"\n\
         SecRule ARGS other \"id:6,phase:1,deny\"\n\
         SecAction \"id:7,phase:1,pass,log,setvar:tx.a=7\"",
    );
    let steps: Vec<(u32, u32)> = rules.folded[0]
        .iter()
        .map(|step| (step.first, step.last))
        .collect();
    assert_eq!(steps, [(0, 4), (5, 5), (6, 6)]);
    let done = run(&rules, &get("/?x=evil"));
    assert_eq!(ids(&done), [7]);
    assert_eq!(
        ["level", "a", "b"].map(|name| done.tx(name).unwrap()),
        [b"1", b"7", b"5"]
    );
}

#[test]
fn only_what_is_relied_on_cannot_be_removed_for_free() {
    let text = |control: &str| {
        format!(
            "SecAction \"id:1,phase:1,pass,nolog,setvar:tx.level=1\"\n\
             SecRule REQUEST_URI \"@beginsWith /\" \"id:2,phase:1,pass,nolog,ctl:{control}\"\n\
             SecRule TX:level \"@lt 2\" \"id:3,phase:2,pass,nolog,skipAfter:END\"\n\
             SecRule ARGS x \"id:4,phase:2,pass\"\n\
             SecMarker END\n\
             SecRule ARGS x \"id:5,phase:2,pass\""
        )
    };
    for (control, unfolds, told) in [
        ("ruleRemoveById=3", true, &[4, 5][..]),
        ("ruleRemoveTargetById=3;TX:level", true, &[4, 5]),
        ("ruleRemoveTargetById=3;ARGS", false, &[5]),
        ("ruleRemoveById=5", false, &[]),
        ("ruleRemoveTargetById=5;ARGS:x", false, &[]),
        ("ruleRemoveById=4", false, &[5]),
    ] {
        let rules = rules(&text(control));
        let done = run(&rules, &get("/?x=x"));
        assert_eq!(done.state.unfolded, unfolds, "{control}");
        assert_eq!(ids(&done), told, "{control}");
    }
}
