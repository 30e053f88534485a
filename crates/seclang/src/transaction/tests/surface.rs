//! What few rules use, and the language has.

use super::*;

#[test]
fn transformations_by_default_come_before_a_rules_own() {
    let ask = get("/?a=%20AbC");
    let text = |own: &str| {
        format!(
            "SecDefaultAction \"phase:2,pass,t:lowercase,t:trim\"\n\
             SecRule ARGS \"@rx ^(?:abc|YWJj)$\" \"id:1,phase:2{own}\"\n\
             SecRule REQUEST_METHOD \"@streq GET\" \"id:2,phase:1\""
        )
    };
    assert_eq!(matched(&text(""), &ask), [2, 1]);
    assert_eq!(matched(&text(",t:base64Encode"), &ask), [2, 1]);
    assert_eq!(matched(&text(",t:none"), &ask), [2]);
}

#[test]
fn transformations_by_default_are_also_those_of_links() {
    let text = "SecDefaultAction \"phase:2,pass,t:lowercase\"\n\
        SecRule ARGS \"@streq abc\" \"id:1,phase:2,chain\"\nSecRule ARGS \"@rx ^abc$\"";
    assert_eq!(matched(text, &get("/?a=ABC")), [1]);
    let own = text.replace("^abc$\"", "^abc$\" \"t:none\"");
    assert_eq!(matched(&own, &get("/?a=ABC")), [0_u64; 0]);
}

#[test]
fn raw_arguments_are_as_they_were_sent() {
    let mut ask = post("application/x-www-form-urlencoded", "b%3d=%41+x&c");
    ask.target = "/?a=%2541&&%61=1";
    assert_eq!(
        seen("ARGS_RAW", &ask),
        [
            "ARGS_RAW:a=%2541",
            "ARGS_RAW:%61=1",
            "ARGS_RAW:b%3d=%41+x",
            "ARGS_RAW:c="
        ]
    );
    assert_eq!(seen("ARGS_GET_RAW:a", &ask), ["ARGS_GET_RAW:a=%2541"]);
    assert_eq!(
        seen("ARGS_POST_NAMES_RAW", &ask),
        ["ARGS_POST_NAMES_RAW:b%3d=b%3d", "ARGS_POST_NAMES_RAW:c=c"]
    );
}

#[test]
fn second_names_are_the_same_variables() {
    let ask = get("/");
    let rules = rules("SecRule STATUS \"@streq 404\" \"id:1,phase:3,pass\"");
    let mut transaction = run(&rules, &ask);
    transaction.response_head(&ResponseHead {
        status: 404,
        protocol: b"HTTP/1.1",
        fields: &[],
    });
    assert_eq!(ids(&transaction), [1]);
}

#[test]
fn limits_of_bodies_may_be_another_for_one_exchange() {
    let text = "SecAction \"id:1,phase:1,pass,nolog,ctl:requestBodyLimit=3\"";
    let ask = post("application/x-www-form-urlencoded", "a=1");
    assert!(run(&rules(text), &ask).interruption().is_none());
    let ask = post("application/x-www-form-urlencoded", "a=12");
    assert_eq!(run(&rules(text), &ask).interruption().unwrap().status, 413);
    let text = "SecResponseBodyMimeType text/plain\n\
        SecAction \"id:1,phase:1,pass,nolog,ctl:responseBodyLimit=2\"";
    let rules = rules(text);
    let mut transaction = run(&rules, &get("/"));
    transaction.response_head(&ResponseHead {
        status: 200,
        protocol: b"HTTP/1.1",
        fields: &[(b"Content-Type", b"text/plain")],
    });
    transaction.response_body(b"abc");
    assert_eq!(transaction.interruption().unwrap().status, 500);
}
