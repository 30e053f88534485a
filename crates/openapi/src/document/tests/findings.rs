use super::*;

fn findings(text: &str) -> String {
    match Document::compile(text, &Options::default()) {
        Ok(compiled) => shown(&compiled.warnings),
        Err(findings) => shown(&findings),
    }
}

fn errs(text: &str) -> bool {
    Document::compile(text, &Options::default()).is_err()
}

fn with_schema(version: &str, schema: &str) -> String {
    format!(
        "openapi: {version}\ninfo: {{title: T, version: '1'}}\npaths: {{}}\ncomponents:\n  schemas:\n    A: {schema}\n"
    )
}

#[test]
fn every_problem_is_said_at_once_with_its_place() {
    let text = "openapi: 3.1.1\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    get:\n      parameters:\n        - {name: x, in: query, schema: {type: strin}}\n        - {in: query}\n      responses:\n        '99': {description: x}\n    post:\n      requestBody: {$ref: '#/components/nothing'}\n";
    let said = findings(text);
    for part in [
        "7:",
        "a type that is not known (at `/paths/~1a/get/parameters/0/schema/type`)",
        "a parameter wants a `name`",
        "`99` is no status",
        "`#/components/nothing` leads nowhere",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(errs(text));
}

#[test]
fn what_cannot_be_enforced_is_an_error_and_what_is_not_a_warning() {
    for (schema, error, says) in [
        ("{$ref: 'other.yaml#/A'}", true, "is in another document"),
        ("{$ref: '#/components/schemas/B'}", true, "leads nowhere"),
        ("{type: string, pattern: '(a)\\1'}", true, "linear time"),
        (
            "{type: string, pattern: '['}",
            true,
            "no regular expression",
        ),
        (
            "{type: string, maxlength: 5}",
            false,
            "did you mean `maxLength`?",
        ),
        ("{type: string, minLength: -1}", true, "not below zero"),
        (
            "{type: string, format: zipcode}",
            false,
            "the format `zipcode` is not known",
        ),
        (
            "{type: integer, exclusiveMinimum: true, minimum: 1}",
            true,
            "is a number",
        ),
        (
            "{type: string, nullable: true}",
            false,
            "`nullable` means nothing in OpenAPI 3.1",
        ),
        (
            "{allOf: [{$ref: '#/components/schemas/A'}]}",
            true,
            "refers back to itself",
        ),
        (
            "{properties: {a: {$ref: '#/components/schemas/A'}}}",
            false,
            "",
        ),
        ("{multipleOf: 0}", true, "above zero"),
        ("{required: true}", true, "a list of names"),
        ("{enum: []}", true, "at least one"),
        (
            "{$schema: 'http://json-schema.org/draft-07/schema#'}",
            true,
            "dialect",
        ),
        ("{dependencies: {a: [b]}}", true, "older draft"),
        (
            "{discriminator: {propertyName: t}}",
            false,
            "is not enforced",
        ),
        (
            "{oneOf: [{type: object}], discriminator: {propertyName: t}}",
            true,
            "every alternative is a `$ref`",
        ),
        ("[1]", true, "an object or a boolean"),
    ] {
        let text = with_schema("3.1.0", schema);
        let said = findings(&text);
        assert_eq!(errs(&text), error, "{schema}: {said}");
        assert!(said.contains(says), "{schema}: {said}");
        assert!(!says.is_empty() || said.is_empty(), "{schema}: {said}");
    }
}

#[test]
fn the_older_dialect_has_words_of_its_own() {
    for (schema, says) in [
        ("{type: string, nullable: true}", ""),
        ("{type: integer, exclusiveMinimum: true, minimum: 1}", ""),
        ("{nullable: true}", "without `type`"),
        ("{type: string, const: a}", "enforced as 3.1 means it"),
        ("{type: [string, 'null']}", "list of types"),
    ] {
        let text = with_schema("3.0.3", schema);
        assert!(!errs(&text));
        assert!(
            findings(&text).contains(says),
            "{schema}: {}",
            findings(&text)
        );
    }
    let beside = "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\ncomponents: {schemas: {A: {type: string}, B: {$ref: '#/components/schemas/A', maxLength: 3}}}";
    assert!(findings(beside).contains("beside `$ref`"));
}

#[test]
fn texts_that_are_no_documents_say_why() {
    for (text, says) in [
        ("swagger: '2.0'", "convert it to OpenAPI 3.1"),
        ("openapi: 3.1", "quote it in YAML"),
        ("openapi: 4.0.0", "3.0.x and 3.1.x are"),
        ("hello", "does not say its version"),
        ("", "the document is empty"),
        ("openapi: 3.1.1", "no `paths`"),
        (
            "openapi: 3.1.1\npaths: {/a/{x}: {}, '/a/{y}': {}}",
            "no YAML",
        ),
        (
            "openapi: 3.1.1\npaths: {'/a/{x}': {}, '/a/{y}': {}}",
            "matches the same paths",
        ),
        ("openapi: 3.1.1\npaths: {a: {}}", "begins with a slash"),
        ("openapi: 3.1.1\npaths: {'/{a}{b}': {}}", "nothing between"),
        (
            "openapi: 3.1.1\npaths: {'/{a+}': {}}",
            "no parameter of a path",
        ),
        (
            "openapi: 3.1.1\npaths: {/a: {gte: {}}}",
            "did you mean `get`?",
        ),
    ] {
        assert!(findings(text).contains(says), "{text}: {}", findings(text));
    }
}
