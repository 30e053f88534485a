use super::*;

/// What is wrong with a value, a line per violation.
fn wrong(alone: &Alone, json: &str, direction: Direction) -> String {
    let mut out = Violations::new();
    let held = alone.check(json, direction, &mut out);
    assert_eq!(held, out.is_empty(), "{json}");
    let lines: Vec<String> = out
        .iter()
        .map(|v| format!("{} ({})", v.place, v.keyword))
        .collect();
    lines.join("; ")
}

fn of(dialect: Dialect, text: &str) -> Alone {
    match Alone::of(text, dialect, &Options::default()) {
        Ok((alone, _)) => alone,
        Err(findings) => panic!("{text}: {findings:#?}"),
    }
}

fn check(dialect: Dialect, schema: &str, cases: &[(&str, &str)]) {
    let alone = of(dialect, schema);
    for (json, expected) in cases {
        assert_eq!(
            wrong(&alone, json, Direction::Request),
            *expected,
            "{schema}: {json}"
        );
    }
}

#[test]
fn words_of_the_older_dialect_mean_what_it_says() {
    let v30 = Dialect::V30;
    check(
        v30,
        "{type: string, nullable: true}",
        &[("null", ""), ("\"a\"", ""), ("1", "body (type)")],
    );
    check(
        v30,
        "{nullable: true, type: string, enum: [a]}",
        &[("null", "body (enum)"), ("\"a\"", "")],
    );
    check(
        v30,
        "{nullable: true, type: string, enum: [a, null]}",
        &[("null", "")],
    );
    check(
        v30,
        "{type: integer, minimum: 1, exclusiveMinimum: true}",
        &[("1", "body (exclusiveMinimum)"), ("2", "")],
    );
    check(
        v30,
        "{type: integer, minimum: 1, exclusiveMinimum: false}",
        &[("1", ""), ("0", "body (minimum)")],
    );
    check(
        v30,
        "{properties: {a: {$ref: '#/properties/b', maxLength: 1}, b: {type: string}}}",
        &[("{\"a\":\"long\"}", ""), ("{\"a\":1}", "body `/a` (type)")],
    );
    check(
        Dialect::V31,
        "{properties: {a: {$ref: '#/properties/b', maxLength: 1}, b: {type: string}}}",
        &[("{\"a\":\"long\"}", "body `/a` (maxLength)")],
    );
}

const PETS: &str = "{oneOf: [{$ref: '#/$defs/Cat'}, {$ref: '#/$defs/Dog'}], discriminator: {propertyName: kind, mapping: {hound: '#/$defs/Dog'}}, $defs: {Cat: {type: object, required: [kind, lives], properties: {kind: {}, lives: {type: integer}}}, Dog: {type: object, required: [kind], properties: {kind: {}, bark: {type: boolean}}}}}";

#[test]
fn a_discriminator_chooses_the_alternative_and_its_words() {
    check(
        Dialect::V31,
        PETS,
        &[
            ("{\"kind\":\"Cat\",\"lives\":9}", ""),
            ("{\"kind\":\"Cat\",\"lives\":\"9\"}", "body `/lives` (type)"),
            ("{\"kind\":\"Dog\",\"bark\":1}", "body `/bark` (type)"),
            ("{\"kind\":\"hound\",\"bark\":true}", ""),
            ("{\"kind\":\"Cow\"}", "body (discriminator)"),
            ("{\"lives\":9}", "body (discriminator)"),
            ("{\"kind\":1}", "body (discriminator)"),
            ("1", "body (oneOf)"),
        ],
    );
}

#[test]
fn the_only_alternative_of_the_values_type_says_what_is_wrong() {
    check(
        Dialect::V31,
        "{anyOf: [{type: 'null'}, {type: object, properties: {a: {type: integer}}}]}",
        &[
            ("{\"a\":\"x\"}", "body `/a` (type)"),
            ("null", ""),
            ("1", "body (anyOf)"),
        ],
    );
}

#[test]
fn what_one_direction_carries_is_not_asked_of_the_other() {
    let alone = of(
        Dialect::V31,
        "{required: [id, pin], properties: {id: {$ref: '#/$defs/Id'}, pin: {allOf: [{type: string, writeOnly: true}]}}, $defs: {Id: {type: integer, readOnly: true}}}",
    );
    for (json, direction, expected) in [
        ("{\"pin\":\"1\"}", Direction::Request, ""),
        (
            "{\"pin\":\"1\",\"id\":1}",
            Direction::Request,
            "body `/id` (readOnly)",
        ),
        ("{}", Direction::Request, "body (required)"),
        ("{\"id\":1}", Direction::Response, ""),
        (
            "{\"id\":1,\"pin\":\"1\"}",
            Direction::Response,
            "body `/pin` (writeOnly)",
        ),
        ("{}", Direction::Response, "body (required)"),
    ] {
        assert_eq!(
            wrong(&alone, json, direction),
            expected,
            "{json} {direction:?}"
        );
    }
}

#[test]
fn formats_and_encodings_are_asserted() {
    check(
        Dialect::V31,
        "{properties: {at: {format: date-time}, n: {type: integer, format: int32}, b: {contentEncoding: base64}, j: {contentMediaType: application/json}}}",
        &[
            (
                "{\"at\":\"2026-11-25T10:00:00Z\",\"n\":1,\"b\":\"YQ==\",\"j\":\"{}\"}",
                "",
            ),
            ("{\"at\":\"now\"}", "body `/at` (format)"),
            ("{\"at\":1}", ""),
            ("{\"n\":2147483648}", "body `/n` (format)"),
            ("{\"b\":\"YQ\"}", "body `/b` (contentEncoding)"),
            ("{\"j\":\"{\"}", "body `/j` (contentMediaType)"),
        ],
    );
}

#[test]
fn values_that_hold_themselves_are_checked_to_their_end() {
    check(
        Dialect::V31,
        "{type: object, properties: {next: {$ref: '#'}, n: {type: integer}}, additionalProperties: false}",
        &[
            ("{\"next\":{\"next\":{\"n\":1}}}", ""),
            (
                "{\"next\":{\"next\":{\"n\":\"1\",\"x\":1}}}",
                "body `/next/next/n` (type); body `/next/next/x` (additionalProperties)",
            ),
        ],
    );
}

#[test]
fn numbers_are_never_rounded() {
    check(
        Dialect::V31,
        "{properties: {a: {const: 9007199254740993}, m: {multipleOf: 0.01}, x: {maximum: 18446744073709551615}}}",
        &[
            ("{\"a\":9007199254740993}", ""),
            ("{\"a\":9007199254740992}", "body `/a` (const)"),
            ("{\"m\":19.99}", ""),
            ("{\"m\":19.999}", "body `/m` (multipleOf)"),
            ("{\"x\":18446744073709551615}", ""),
            ("{\"x\":18446744073709551616}", "body `/x` (maximum)"),
        ],
    );
}
