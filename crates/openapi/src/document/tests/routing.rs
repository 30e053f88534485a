use super::*;

fn document_of(templates: &[&str]) -> Document {
    let paths: String = templates
        .iter()
        .map(|template| {
            format!("  {template}:\n    get: {{responses: {{'200': {{description: ok}}}}}}\n")
        })
        .collect();
    document(&paths)
}

fn found<'a>(document: &'a Document, path: &str) -> (&'a str, Vec<String>) {
    match document.find("GET", path) {
        Found::Operation(operation, captures) => {
            let text = |(start, end): &(u32, u32)| {
                path.get(*start as usize..*end as usize).unwrap().to_owned()
            };
            (operation.template(), captures.iter().map(text).collect())
        }
        _ => ("none", Vec::new()),
    }
}

#[test]
fn literals_come_before_templates_and_a_wrong_way_is_taken_back() {
    let document = document_of(&[
        "/pets",
        "/pets/{id}",
        "/pets/mine",
        "/pets/mine/toys",
        "/pets/{id}/photos",
        "/{any}/photos/all",
        "/",
    ]);
    for (path, template, captures) in [
        ("/pets", "/pets", vec![]),
        ("/pets/mine", "/pets/mine", vec![]),
        ("/pets/7", "/pets/{id}", vec!["7"]),
        ("/pets/mine/photos", "/pets/{id}/photos", vec!["mine"]),
        ("/pets/mine/toys", "/pets/mine/toys", vec![]),
        ("/pets/photos/all", "/{any}/photos/all", vec!["pets"]),
        ("/", "/", vec![]),
    ] {
        assert_eq!(
            found(&document, path),
            (template, captures.iter().map(ToString::to_string).collect()),
            "{path}"
        );
    }
    for path in [
        "/pets/",
        "/pets//photos",
        "",
        "pets",
        "/pets/7/",
        "/Pets",
        "/pets/a%2Fb",
        "/pets/%zz",
        "/pets/%ff",
        "//",
    ] {
        assert_eq!(found(&document, path).0, "none", "{path}");
    }
}

#[test]
fn segments_may_be_part_text_and_part_parameter() {
    let document = document_of(&["/f/{name}.{kind}", "/f/{id}:cancel", "/a b/{x}", "/v{n}"]);
    assert_eq!(
        found(&document, "/f/a.b.json"),
        ("/f/{name}.{kind}", vec!["a".into(), "b.json".into()])
    );
    assert_eq!(
        found(&document, "/f/9:cancel"),
        ("/f/{id}:cancel", vec!["9".into()])
    );
    assert_eq!(found(&document, "/f/.json").0, "none");
    assert_eq!(found(&document, "/f/:cancel").0, "none");
    assert_eq!(found(&document, "/a%20b/1"), ("/a b/{x}", vec!["1".into()]));
    assert_eq!(found(&document, "/v12"), ("/v{n}", vec!["12".into()]));
}

#[test]
fn a_method_that_is_not_there_says_which_are() {
    let document = document("  /a:\n    get: {responses: {}}\n    post: {responses: {}}\n");
    let Found::NoMethod { allow } = document.find("DELETE", "/a") else {
        panic!("there is no such method")
    };
    assert_eq!(allow, ["GET", "HEAD", "POST"]);
    assert!(matches!(document.find("HEAD", "/a"), Found::Operation(o, _) if o.method() == "GET"));
    assert!(matches!(document.find("get", "/a"), Found::NoMethod { .. }));
    assert!(matches!(document.find("GET", "/b"), Found::NoPath));
}

#[test]
fn paths_begin_with_those_of_the_servers() {
    let text = |servers: &str| {
        format!(
            "openapi: 3.1.1\ninfo: {{title: T, version: '1'}}\nservers: {servers}\npaths: {{/a: {{get: {{}}}}}}"
        )
    };
    let served = full(&text(
        "[{url: 'https://x.example/api/{v}/', variables: {v: {default: v2}}}, {url: /v1}]",
    ));
    assert_eq!(served.base_paths().collect::<Vec<_>>(), ["/api/v2", "/v1"]);
    for (path, there) in [
        ("/api/v2/a", true),
        ("/v1/a", true),
        ("/a", false),
        ("/v1", false),
        ("/v1a", false),
        ("/api/v2//a", false),
    ] {
        assert_eq!(
            matches!(served.find("GET", path), Found::Operation(..)),
            there,
            "{path}"
        );
    }
    let free = full(&text("[{url: 'https://x.example'}]"));
    assert!(matches!(free.find("GET", "/a"), Found::Operation(..)));
    let options = Options {
        base: crate::Base::Path("/shop/".into()),
        ..Options::default()
    };
    let own = Document::compile(&text("[{url: /v1}]"), &options)
        .unwrap()
        .document;
    assert!(matches!(own.find("GET", "/shop/a"), Found::Operation(..)));
}
