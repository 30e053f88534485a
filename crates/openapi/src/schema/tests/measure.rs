//! What a check costs, printed: `cargo test --release -p openapi -- --ignored measure --nocapture`. And
//! a run over cases of another implementation, for comparing verdicts.

use serde_json::Value as Json;

use super::*;

const ORDER: &str = include_str!("../../../testdata/order.schema.json");
const BODY: &str = include_str!("../../../testdata/order.json");

#[expect(clippy::disallowed_methods, reason = "it measures")]
fn nanoseconds(name: &str, mut run: impl FnMut() -> bool) {
    for _ in 0..200 {
        assert!(run());
    }
    let rounds = 20_000u32;
    let begun = std::time::Instant::now();
    for _ in 0..rounds {
        assert!(run());
    }
    println!(
        "{name}: {} ns",
        begun.elapsed().as_nanos() / u128::from(rounds)
    );
}

#[test]
#[ignore = "prints figures; proves nothing"]
fn measure_one_body() {
    let (alone, _) = Alone::compile(ORDER, &Options::default()).expect("it compiles");
    let mut arena = Arena::default();
    let mut out = Violations::new();
    println!("body of {} bytes", BODY.len());
    nanoseconds("read", || {
        arena.clear();
        tree::read(&mut arena, BODY.as_bytes(), 64, 10_000).is_ok()
    });
    nanoseconds("read and checked", || {
        arena.clear();
        let text = tree::read(&mut arena, BODY.as_bytes(), 64, 10_000).unwrap_or_default();
        Check::new(
            &alone.schemas,
            arena.tree(text),
            Direction::Request,
            Origin::Body,
            &mut out,
        )
        .run(alone.id)
    });
}

/// Lines of `[schema, value, verdict]` in the file that `RAMPART_JSON_SCHEMA_CASES` names.
#[test]
#[ignore = "needs cases of another implementation"]
fn verdicts_are_those_of_another_implementation() {
    #[expect(clippy::disallowed_methods, reason = "a test asks where the cases are")]
    let file =
        std::env::var("RAMPART_JSON_SCHEMA_CASES").expect("RAMPART_JSON_SCHEMA_CASES names a file");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let (mut same, mut other) = (0, Vec::new());
    let options = Options {
        formats: crate::Formats::Annotate,
        ..Options::default()
    };
    for line in text.lines() {
        let case: Vec<Json> = serde_json::from_str(line).expect("a line is a case");
        let (alone, _) = match Alone::compile(&case[0].to_string(), &options) {
            Ok(alone) => alone,
            Err(findings) => {
                other.push(format!("{line}: {findings:?}"));
                continue;
            }
        };
        let held = alone.check(
            &case[1].to_string(),
            Direction::Request,
            &mut Violations::new(),
        );
        if Some(held) == case[2].as_bool() {
            same += 1;
        } else {
            other.push(line.to_owned());
        }
    }
    println!("same: {same}, other: {}", other.len());
    assert!(
        other.is_empty(),
        "{:#?}",
        other.iter().take(20).collect::<Vec<_>>()
    );
}
