//! Ways around the rules that a client has in what it says a body is.

use super::*;

#[tokio::test]
async fn type_of_a_body_hides_nothing() {
    let world = World::new("", "");
    let escaped = r#"{"a": "\u0065vil"}"#;
    for (kind, content) in [
        // Read by whoever asks for JSON whatever the type says.
        ("text/html", "a=%65vil"),
        ("text/csv", "evil"),
        ("application/x-ndjson", r#"{"a": "evil"}"#),
        ("application/graphql", "{ evil }"),
        ("application/javascript", "evil()"),
        ("x/y", "a=%65vil"),
        // JSON under other names.
        ("application/csp-report", escaped),
        ("application/x-json", escaped),
        ("x/json", escaped),
        ("image/vnd.x+json", escaped),
        ("application/json-patch+json", escaped),
    ] {
        assert_eq!(world.post(kind, content).await, Err("waf.match"), "{kind}");
        let benign = content
            .replace("evil", "good")
            .replace("\\u0065vil", "good")
            .replace("%65vil", "good");
        assert_eq!(world.post(kind, &benign).await, Ok(NOTHING), "{kind}");
    }
    // Files are not looked into, as the guide says.
    for kind in ["image/png", "application/octet-stream", "application/pdf"] {
        assert_eq!(world.post(kind, "a=evil").await, Ok(NOTHING), "{kind}");
    }
}

#[tokio::test]
async fn document_that_is_another_text_to_others_is_refused() {
    let world = World::new("", "");
    for content in [
        r#"<?xml version="1.0" encoding="UTF-7"?><a>+AGUAdgBpAGw-</a>"#,
        r#"<?xml version="1.0" encoding="ISO-2022-KR"?><a>x</a>"#,
        r#"<!DOCTYPE a [<!ENTITY x "evil">]><a>&x;</a>"#,
        r#"<!DOCTYPE a [<!ENTITY x "evil">]><a b="&x;"/>"#,
        "<\0a\0>\0x\0<\0/\0a\0>\0",
    ] {
        for kind in ["application/xml", "text/xml", "image/svg+xml", "x/y+xml"] {
            let said = world.post(kind, content).await;
            assert_eq!(said, Err("waf.unreadable"), "{kind}: {content}");
        }
    }
    for content in [
        r#"<?xml version="1.0" encoding="UTF-8"?><a b="1&lt;2">&#x41;&amp;</a>"#,
        r#"<?xml version="1.0" encoding="iso-8859-1"?><a/>"#,
        "<!DOCTYPE a><a/>",
    ] {
        assert_eq!(world.post("application/xml", content).await, Ok(NOTHING));
    }
}

#[tokio::test]
async fn multipart_form_that_can_be_read_in_two_ways_is_refused() {
    // Where inspection only observes, the rules are all there is.
    let world = World::new("mode = { inspect = \"observe\" }", "");
    let kind = "multipart/form-data; boundary=x";
    let form = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\ngood\r\n--x--\r\n";
    assert_eq!(world.post(kind, form).await, Ok(NOTHING));
    let quoted = "multipart/form-data; boundary=\"x\"";
    assert_eq!(world.post(quoted, form).await, Ok(NOTHING));
    for (from, to) in [
        // A line that ends otherwise; a name without its quotes closed; one folded away.
        ("\r\n", "\n"),
        ("name=\"a\"", "name=\"a"),
        ("form-data; name", "form-data;\r\n name"),
        ("form-data; name", "form-data name"),
    ] {
        let odd = form.replacen(from, to, if from == "\r\n" { 9 } else { 1 });
        let said = world.post(kind, &odd).await;
        assert!(
            matches!(said, Err("waf.match" | "waf.unreadable")),
            "{odd:?}: {said:?}"
        );
    }
}

#[tokio::test]
async fn matches_that_weigh_most_are_told_of() {
    let mut rules = String::new();
    for id in 100..140 {
        rules.push_str(&format!(
            "SecRule ARGS \"@contains noise\" \"id:{id},phase:2,pass,log,msg:'noise',severity:NOTICE\"\n"
        ));
    }
    rules.push_str(
        "SecRule ARGS \"@contains evil\" \"id:200,phase:2,deny,log,msg:'it',severity:CRITICAL\"\n",
    );
    let world = World::of("", "", &rules);
    let connection = connection();
    let request = Request::get("/?a=noise+evil").header("host", "shop.example");
    let request = request.body(None).unwrap();
    let mut flow = pipeline::begin(&world.shared, &world.state, &connection, request);
    route::find(&mut flow).unwrap();
    head(&mut flow).unwrap();
    let refused = body(&mut flow, &Carried::empty()).await.unwrap_err();
    let told: Vec<u64> = refused.more().matches.iter().map(|one| one.id).collect();
    assert_eq!(
        (told.len(), told.first(), told.last()),
        (16, Some(&100), Some(&200))
    );
}
