//! Limits, budgets and hostile requests.

use super::*;

#[test]
fn bodies_beyond_the_limit_are_refused_or_cut() {
    let limit = "SecRequestBodyNoFilesLimit 4\n";
    let rules_of = |action: &str| {
        rules(&format!(
            "{limit}SecRequestBodyLimitAction {action}\nSecRule ARGS_POST \"@streq 12\" \"id:1,phase:2,pass\"\nSecRule INBOUND_DATA_ERROR \"@eq 1\" \"id:2,phase:2,pass\""
        ))
    };
    let ask = post("application/x-www-form-urlencoded", "a=1234");
    let reject = rules_of("Reject");
    assert_eq!(run(&reject, &ask).interruption().unwrap().status, 413);
    assert_eq!(ids(&run(&rules_of("ProcessPartial"), &ask)), [1, 2]);
}

#[test]
fn a_budget_ends_the_exchange_when_it_is_spent() {
    let deny = "SecRule ARGS \"@rx (?i)[a-z].*evil$\" \"id:1,phase:2,deny,t:none,t:urlDecodeUni\"";
    let ask = get("/?a=some+evil");
    let spend = |text: &str, bytes: u64| {
        let rules = rules(text);
        let mut exchange = begin(&rules).with_budget(bytes);
        exchange.request_head(&RequestHead {
            line: b"GET /?a=some+evil HTTP/1.1",
            method: b"GET",
            target: ask.target.as_bytes(),
            protocol: b"HTTP/1.1",
            fields: &[],
        });
        exchange.request_body(b"");
        let ended = exchange
            .interruption()
            .or(exchange.detected())
            .map(|one| (one.rule, one.status));
        (exchange.is_exhausted(), ended)
    };
    assert_eq!(spend(deny, 1_000), (false, Some((1, 403))));
    let many = format!(
        "{}\n{deny}",
        "SecRule ARGS \"@contains z\" \"id:2,phase:2,pass\""
    );
    assert_eq!(spend(&many, 5), (true, Some((0, 403))));
    let only = format!("SecRuleEngine DetectionOnly\n{many}");
    assert_eq!(spend(&only, 5), (true, Some((0, 403))));
}

#[test]
fn fuzz_exchanges_end_in_a_verdict() {
    let rules = rules(
        "SecAction \"id:1,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n\
         SecRule ARGS|ARGS_NAMES|REQUEST_COOKIES|REQUEST_HEADERS|REQUEST_BODY|FILES|REQUEST_LINE \"@rx (?i)(union).*(select)\" \"id:2,phase:2,deny,capture,t:none,t:urlDecodeUni,t:htmlEntityDecode,t:jsDecode,t:cssDecode,logdata:'%{TX.1}%{MATCHED_VAR}'\"",
    );
    let corpus = vec![b"POST /a?b=%41&c HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 9\r\nCookie: a=b; c\r\n\r\n--B\r\nx: y".to_vec()];
    testkit::fuzz(
        3_000,
        &corpus,
        &[
            b"\r\n",
            b"%u",
            b"; ",
            b"union select",
            b"Content-Type: application/x-www-form-urlencoded",
        ],
        |input| {
            let wire = crate::regression::wire(&crate::regression::Input::Raw(input.to_vec()));
            let fields: Vec<(&[u8], &[u8])> = wire
                .fields
                .iter()
                .map(|(n, v)| (n.as_slice(), v.as_slice()))
                .collect();
            let mut exchange = begin(&rules);
            exchange.request_head(&RequestHead {
                line: &wire.line,
                method: &wire.method,
                target: &wire.target,
                protocol: &wire.protocol,
                fields: &fields,
            });
            exchange.request_body(&wire.body);
            exchange.finish();
        },
    );
}

#[test]
fn fields_of_a_form_of_parts_have_the_limit_of_other_bodies() {
    let part = |value: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n{value}\r\n--B--\r\n")
    };
    let status = |body: String| {
        let rules = rules("SecRequestBodyNoFilesLimit 100\nSecRequestBodyLimit 10000");
        let ask = post(
            "multipart/form-data; boundary=B",
            Box::leak(body.into_boxed_str()),
        );
        run(&rules, &ask).interruption().map(|ended| ended.status)
    };
    assert_eq!(status(part("short")), None);
    assert_eq!(status(part(&"x".repeat(200))), Some(413));
}

#[test]
fn long_names_of_many_values_are_refused() {
    let values = vec!["1"; 900].join(",");
    let body = format!("{{\"{}\":[{values}]}}", "n".repeat(60_000));
    let read = crate::body::json::read(body.as_bytes(), 9, 1_000);
    assert!(read.problem.unwrap().contains("names are too long"));
    assert!(read.pairs.len() < 20);
}

#[test]
fn what_is_not_looked_at_is_told() {
    let rules = rules("SecArgumentsLimit 2\nSecRule REQBODY_ERROR \"@eq 1\" \"id:1,phase:2,pass\"");
    let mut cookies = get("/");
    cookies.fields.push(("Cookie", "a=1; b=2; c=3"));
    let three = post("application/x-www-form-urlencoded", "a=1&b=2&c=3");
    for ask in [get("/?a=1&b=2&c=3"), cookies, three] {
        let told = run(&rules, &ask);
        assert_eq!(ids(&told), [1]);
        assert!(told.problem().is_some());
    }
    assert_eq!(run(&rules, &get("/?a=1&b=2")).problem(), None);
}

#[test]
fn nothing_is_ended_in_phase_five() {
    let rules = rules("SecAction \"id:1,phase:5,deny\"");
    let mut over = run(&rules, &get("/"));
    over.finish();
    assert_eq!((ids(&over), over.interruption()), (vec![1], None));
}

#[test]
fn rules_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn moved<T: Send>() {}
    shared::<Ruleset>();
    moved::<Transaction<'_>>();
}

#[test]
fn a_look_at_a_list_counts_each_of_its_values() {
    let rules = rules("SecRule ARGS \"@rx zzzzzz\" \"id:1,phase:2,deny\"");
    let spent = |target| run(&rules, &get(target)).spent_bytes();
    // Too short for the pattern: not a byte is looked at.
    assert_eq!(spent("/?a=1&b=2&c=3&d=4") - spent("/?a=1"), 3);
}
