mod found;
mod known;
mod limits;
mod memory;
mod surface;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::files::NoFiles;
use crate::rules::{Leniency, Loader};
use crate::verdict::Action;

fn rules(text: &str) -> Ruleset {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    let on = "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n";
    loader.text("t.conf", format!("{on}{text}").as_bytes());
    loader
        .finish()
        .unwrap_or_else(|error| panic!("{error}"))
        .rules
}

struct Ask {
    method: &'static str,
    target: &'static str,
    fields: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

fn get(target: &'static str) -> Ask {
    Ask {
        method: "GET",
        target,
        fields: vec![("Host", "shop.example"), ("User-Agent", "test")],
        body: "",
    }
}

fn post(kind: &'static str, body: &'static str) -> Ask {
    let mut ask = get("/form");
    ask.method = "POST";
    ask.fields.push(("Content-Type", kind));
    ask.body = body;
    ask
}

fn begin(rules: &Ruleset) -> Transaction<'_> {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)),
        client_port: 4711,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 443,
        moment: Moment {
            epoch_s: 1_700_000_000,
            offset_s: 3600,
        },
        unique_id: b"u-1",
    };
    Transaction::new(rules, &connection)
}

/// Phases 1 and 2.
fn run<'r>(rules: &'r Ruleset, ask: &Ask) -> Transaction<'r> {
    let mut transaction = begin(rules);
    let line = format!("{} {} HTTP/1.1", ask.method, ask.target);
    let fields: Vec<(&[u8], &[u8])> = ask
        .fields
        .iter()
        .map(|(n, v)| (n.as_bytes(), v.as_bytes()))
        .collect();
    transaction.request_head(&RequestHead {
        line: line.as_bytes(),
        method: ask.method.as_bytes(),
        target: ask.target.as_bytes(),
        protocol: b"HTTP/1.1",
        fields: &fields,
    });
    transaction.request_body(ask.body.as_bytes());
    transaction
}

fn ids(transaction: &Transaction<'_>) -> Vec<u64> {
    transaction.matches().iter().map(|found| found.id).collect()
}

/// The ids of matching rules.
fn matched(text: &str, ask: &Ask) -> Vec<u64> {
    ids(&run(&rules(text), ask))
}

/// What a target's values are, in order, as one rule sees them.
fn seen(target: &str, ask: &Ask) -> Vec<String> {
    let rules = rules(&format!(
        "SecRule {target} \"@unconditionalMatch\" \"id:1,phase:2,pass,log\""
    ));
    let transaction = run(&rules, ask);
    let found = transaction.matches().iter().flat_map(|found| &found.found);
    found
        .map(|one| {
            format!(
                "{}={}",
                String::from_utf8_lossy(&one.target),
                one.value.escape_ascii()
            )
        })
        .collect()
}

#[test]
fn variables_of_the_request_line() {
    let ask = get("/a/b%20c.php?x=1&y=%41#frag");
    for (target, expected) in [
        ("REQUEST_LINE", "GET /a/b%20c.php?x=1&y=%41#frag HTTP/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_URI", "/a/b%20c.php?x=1&y=%41#frag"),
        ("REQUEST_FILENAME", "/a/b c.php"),
        ("REQUEST_BASENAME", "b c.php"),
        ("QUERY_STRING", "x=1&y=%41#frag"),
        ("REMOTE_ADDR", "203.0.113.9"),
        ("SERVER_NAME", "shop.example"),
        ("SERVER_PORT", "443"),
        ("UNIQUE_ID", "u-1"),
        ("TIME_EPOCH", "1700000000"),
        ("TIME_YEAR", "2023"),
        ("TIME", "23:13:20"),
        ("TIME_WDAY", "2"),
        ("TIME_MON", "10"),
        ("ARGS_COMBINED_SIZE", "9"),
    ] {
        assert_eq!(seen(target, &ask), [format!("{target}={expected}")]);
    }
    assert_eq!(
        seen("REQUEST_URI", &get("http://h.example/p?q")),
        ["REQUEST_URI=/p?q"]
    );
    assert_eq!(
        seen("REQUEST_FILENAME", &get("/a%3fb?c")),
        ["REQUEST_FILENAME=/a?b"]
    );
}

#[test]
fn collections_have_names_and_values() {
    let mut ask = get("/?a=1&B=2&a=3");
    ask.fields.push(("Cookie", "s=1; t=x=y;u"));
    assert_eq!(seen("ARGS", &ask), ["ARGS:a=1", "ARGS:B=2", "ARGS:a=3"]);
    assert_eq!(seen("ARGS:b", &ask), ["ARGS:B=2"]);
    assert_eq!(seen("ARGS|!ARGS:a", &ask), ["ARGS:B=2"]);
    assert_eq!(seen("ARGS:/^A/", &ask), ["ARGS:a=1", "ARGS:a=3"]);
    assert_eq!(
        seen("ARGS_NAMES", &ask),
        ["ARGS_NAMES:a=a", "ARGS_NAMES:B=B", "ARGS_NAMES:a=a"]
    );
    assert_eq!(seen("&ARGS", &ask), ["&ARGS=3"]);
    assert_eq!(seen("&ARGS:a", &ask), ["&ARGS:a=2"]);
    assert_eq!(seen("&ARGS:z", &ask), ["&ARGS:z=0"]);
    assert_eq!(
        seen("REQUEST_COOKIES", &ask),
        [
            "REQUEST_COOKIES:s=1",
            "REQUEST_COOKIES:t=x=y",
            "REQUEST_COOKIES:u="
        ]
    );
    assert_eq!(
        seen("REQUEST_HEADERS:host", &ask),
        ["REQUEST_HEADERS:Host=shop.example"]
    );
    assert!(seen("ARGS_POST", &ask).is_empty());
}

#[test]
fn a_negated_operator_needs_a_value() {
    assert!(matched("SecRule ARGS \"!@rx ^x\" \"id:1,pass\"", &get("/")).is_empty());
    assert_eq!(
        matched("SecRule ARGS \"!@rx ^x\" \"id:1,pass\"", &get("/?a=y")),
        [1]
    );
    assert_eq!(
        matched("SecRule ARGS \"!@rx selects\" \"id:1,pass\"", &get("/?a=y")),
        [1]
    );
}

#[test]
fn bodies_are_arguments() {
    let form = post("application/x-www-form-urlencoded", "a=1&b=%41");
    assert_eq!(seen("ARGS_POST", &form), ["ARGS_POST:a=1", "ARGS_POST:b=A"]);
    assert_eq!(seen("REQUEST_BODY", &form), ["REQUEST_BODY=a=1&b=%41"]);
    let rules_text = "SecRule REQUEST_HEADERS:Content-Type json \"id:1,phase:1,pass,ctl:requestBodyProcessor=JSON\"\n\
        SecRule ARGS:json.a.array_0 \"@streq x\" \"id:2,phase:2,pass\"\nSecRule REQBODY_ERROR \"@eq 1\" \"id:3,phase:2,pass\"";
    assert_eq!(
        matched(rules_text, &post("application/json", r#"{"a":["x"]}"#)),
        [1, 2]
    );
    assert_eq!(
        matched(rules_text, &post("application/json", r#"{"a":["x"]"#)),
        [1, 2, 3]
    );
    assert_eq!(
        matched(rules_text, &post("text/plain", r#"{"a":["x"]}"#)),
        [] as [u64; 0]
    );
    let xml = "SecAction \"id:1,phase:1,pass,ctl:requestBodyProcessor=XML\"\nSecRule XML:/* evil \"id:2,phase:2,pass\"\n\
        SecRule XML://@* worse \"id:3,phase:2,pass\"\nSecRule &ARGS \"!@eq 0\" \"id:4,phase:2,pass\"";
    assert_eq!(
        matched(xml, &post("text/xml", "<a b='worse'>ev<c>il</c></a>")),
        [1, 2, 3]
    );
    let raw = "SecAction \"id:1,phase:1,pass,ctl:forceRequestBodyVariable=On\"\nSecRule REQUEST_BODY evil \"id:2,phase:2,pass\"";
    assert_eq!(matched(raw, &post("text/plain", "evil")), [1, 2]);
    assert!(seen("REQUEST_BODY", &post("text/plain", "evil")).is_empty());
}

#[test]
fn forms_of_parts_are_files_and_fields() {
    let body = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--B\r\nContent-Disposition: form-data; name=f; filename=e.php\r\nX-Y: z\r\n\r\n1234\r\n--B--\r\n";
    let ask = post("multipart/form-data; boundary=B", body);
    assert_eq!(seen("ARGS", &ask), ["ARGS:a=x"]);
    assert_eq!(seen("FILES", &ask), ["FILES:f=e.php"]);
    assert_eq!(seen("FILES_NAMES", &ask), ["FILES_NAMES:f=f"]);
    assert_eq!(seen("FILES_SIZES", &ask), ["FILES_SIZES:f=4"]);
    assert_eq!(seen("FILES_COMBINED_SIZE", &ask), ["FILES_COMBINED_SIZE=4"]);
    assert_eq!(
        seen("FILES_TMP_CONTENT", &ask),
        ["FILES_TMP_CONTENT:f=1234"]
    );
    assert_eq!(
        seen("&MULTIPART_PART_HEADERS:f", &ask),
        ["&MULTIPART_PART_HEADERS:f=2"]
    );
    assert_eq!(
        seen("MULTIPART_STRICT_ERROR", &ask),
        ["MULTIPART_STRICT_ERROR=0"]
    );
}

#[test]
fn a_type_that_is_said_twice_is_told() {
    let mut ask = post("application/x-www-form-urlencoded", "a=1");
    ask.fields
        .push(("Content-Type", "multipart/form-data; boundary=x"));
    assert_eq!(seen("REQBODY_ERROR", &ask), ["REQBODY_ERROR=1"]);
}

#[test]
fn rules_act_in_the_order_of_their_file() {
    let text = "SecAction \"id:1,phase:2,pass,nolog,setvar:tx.a=5\"\n\
        SecRule TX:a \"@eq 5\" \"id:2,phase:2,pass,setvar:tx.a=+2\"\n\
        SecRule TX:a \"@eq 7\" \"id:3,phase:1,pass\"\n\
        SecRule TX:A \"@eq 7\" \"id:4,phase:2,pass,setvar:tx.a=-10,setvar:!tx.b\"\n\
        SecRule TX:a \"@streq -3\" \"id:5,phase:2,pass\"\n\
        SecRule &TX:a \"@eq 1\" \"id:6,phase:2,pass,setvar:!tx.a\"\nSecRule &TX:a \"@eq 0\" \"id:7,phase:2,pass\"";
    assert_eq!(matched(text, &get("/")), [2, 4, 5, 6, 7]);
}

#[test]
fn skips_go_to_markers_and_over_rules() {
    let text = "SecAction \"id:1,phase:2,pass,skipAfter:END\"\nSecAction \"id:2,phase:2,pass\"\nSecAction \"id:3,phase:1,pass\"\n\
        SecMarker END\nSecAction \"id:4,phase:2,pass,skip:1\"\nSecAction \"id:5,phase:2,pass\"\nSecAction \"id:6,phase:2,pass\"";
    assert_eq!(matched(text, &get("/")), [3, 1, 4, 6]);
}

#[test]
fn chains_match_only_as_a_whole() {
    let text = "SecRule ARGS:a \"@streq 1\" \"id:1,phase:2,deny,status:444,log,msg:'m %{MATCHED_VAR}',chain,setvar:tx.first=1\"\n\
        SecRule ARGS:b \"@streq 2\" \"setvar:tx.second=1\"";
    let rules = rules(text);
    let half = run(&rules, &get("/?a=1&b=3"));
    assert!(ids(&half).is_empty());
    assert_eq!(
        (half.tx("first"), half.tx("second")),
        (Some(b"1".to_vec()), None)
    );
    let whole = run(&rules, &get("/?a=1&b=2"));
    assert_eq!(ids(&whole), [1]);
    let ended = whole.interruption().unwrap();
    assert_eq!(
        (ended.rule, ended.status, ended.phase, &ended.action),
        (1, 444, 2, &Action::Deny)
    );
    assert_eq!(ended.place.as_ref().unwrap().line, 4);
    assert_eq!(whole.matches()[0].message, b"m 2");
}

#[test]
fn links_see_what_the_link_before_matched() {
    let text = "SecRule ARGS \"@rx /\" \"id:1,phase:2,pass,chain\"\nSecRule MATCHED_VARS \"@rx b\" \"chain\"\n\
        SecRule MATCHED_VARS \"@rx c\" \"setvar:'tx.name=%{MATCHED_VAR_NAME}'\"";
    assert!(matched(text, &get("/?x=/b&y=/c")).is_empty());
    assert_eq!(matched(text, &get("/?x=/bc")), [1]);
    let capture = "SecRule ARGS \"@rx (\\w+)=(\\w+)\" \"id:1,phase:2,pass,capture,chain\"\nSecRule TX:1 \"@streq %{TX.2}\"";
    assert_eq!(matched(capture, &get("/?x=a%3da")), [1]);
    assert!(matched(capture, &get("/?x=a%3db")).is_empty());
}

#[test]
fn values_that_match_act_one_by_one() {
    let rules = rules(
        "SecRule ARGS \"@contains x\" \"id:1,phase:2,pass,setvar:tx.n=+1,setvar:'tx.seen_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'\"",
    );
    let done = run(&rules, &get("/?a=x1&b=y&c=x2"));
    assert_eq!(done.tx("n"), Some(b"2".to_vec()));
    assert_eq!(done.tx("seen_args:C"), Some(b"x2".to_vec()));
    let found = &done.matches()[0].found;
    assert_eq!(found.len(), 2);
}

#[test]
fn transformations_come_before_operators() {
    let text = |t: &str| format!("SecRule ARGS \"@rx ^select$\" \"id:1,phase:2,pass,{t}\"");
    assert!(matched(&text("t:none"), &get("/?a=SELE%2543T")).is_empty());
    assert_eq!(
        matched(
            &text("t:none,t:urlDecodeUni,t:lowercase"),
            &get("/?a=SELE%2543T")
        ),
        [1]
    );
    assert_eq!(
        matched(&text("t:lowercase,t:none,t:lowercase"), &get("/?a=SELECT")),
        [1]
    );
    // Every value between is looked at.
    let multi = "SecRule ARGS \"@contains %4\" \"id:1,phase:2,pass,multiMatch,t:none,t:urlDecode,setvar:tx.n=+1\"";
    assert_eq!(matched(multi, &get("/?a=%2541")), [1]);
    assert!(matched(&multi.replace("multiMatch,", ""), &get("/?a=%2541")).is_empty());
}

#[test]
fn ctl_changes_what_runs() {
    let rule = "SecRule ARGS evil \"id:9,phase:2,pass,tag:t,msg:'m'\"\n";
    for ctl in [
        "ruleRemoveById=9",
        "ruleRemoveById=1-20",
        "ruleRemoveByTag=t",
        "ruleRemoveByMsg=m",
        "ruleEngine=Off",
        "ruleRemoveTargetById=9;ARGS",
        "ruleRemoveTargetById=9;ARGS:a",
        "ruleRemoveTargetByTag=t;ARGS:/^a/",
        "ruleRemoveTargetByMsg=m;ARGS:A",
    ] {
        let text = format!("SecAction \"id:10,phase:1,pass,nolog,ctl:{ctl}\"\n{rule}");
        assert!(!matched(&text, &get("/?a=evil")).contains(&9), "{ctl}");
    }
    let other =
        format!("SecAction \"id:10,phase:1,pass,nolog,ctl:ruleRemoveTargetById=9;ARGS:b\"\n{rule}");
    assert!(matched(&other, &get("/?a=evil")).contains(&9));
}

#[test]
fn verdicts_follow_the_mode() {
    let deny = "SecRule ARGS evil \"id:1,phase:2,deny\"\nSecRule ARGS evil \"id:2,phase:2,pass\"";
    let on = rules(deny);
    let ended = run(&on, &get("/?a=evil"));
    assert_eq!(ids(&ended), [1]);
    assert_eq!(ended.interruption().unwrap().status, 403);
    let only = rules(&format!("SecRuleEngine DetectionOnly\n{deny}"));
    let told = run(&only, &get("/?a=evil"));
    assert_eq!(ids(&told), [1, 2]);
    assert_eq!(
        (told.interruption(), told.detected().map(|one| one.rule)),
        (None, Some(1))
    );
    let off = rules(&format!("SecRuleEngine Off\n{deny}"));
    assert!(ids(&run(&off, &get("/?a=evil"))).is_empty());
}

#[test]
fn block_is_what_the_default_action_says() {
    let block = "SecRule ARGS evil \"id:1,phase:2,block\"";
    assert!(
        run(&rules(block), &get("/?a=evil"))
            .interruption()
            .is_none()
    );
    let deny = rules(&format!(
        "SecDefaultAction \"phase:2,deny,status:429,nolog\"\n{block}"
    ));
    let ended = run(&deny, &get("/?a=evil"));
    assert_eq!(ended.interruption().unwrap().status, 429);
    assert!(!ended.matches()[0].logged);
}

#[test]
fn allow_ends_a_phase_the_request_or_everything() {
    let text = |scope: &str| {
        format!(
            "SecAction \"id:1,phase:1,allow{scope},nolog\"\nSecAction \"id:2,phase:1,pass\"\nSecAction \"id:3,phase:2,pass\"\nSecAction \"id:4,phase:5,pass\""
        )
    };
    let of = |scope: &str| {
        let rules = rules(&text(scope));
        let mut done = run(&rules, &get("/"));
        done.finish();
        ids(&done)
    };
    assert_eq!(of(":phase"), [1, 3, 4]);
    assert_eq!(of(":request"), [1, 4]);
    assert_eq!(of(""), [1, 4]);
}

#[test]
fn redirects_and_drops_are_verdicts() {
    let to = rules("SecRule ARGS evil \"id:1,phase:2,redirect:'https://x.example/%{ARGS.a}'\"");
    let ended = run(&to, &get("/?a=evil"));
    let ended = ended.interruption().unwrap();
    assert_eq!(
        (ended.status, &ended.action),
        (302, &Action::Redirect(b"https://x.example/evil".to_vec()))
    );
    let drop = rules("SecRule ARGS evil \"id:1,phase:2,drop\"");
    assert_eq!(
        run(&drop, &get("/?a=evil")).interruption().unwrap().action,
        Action::Drop
    );
}

#[test]
fn responses_are_held_to_phases_three_and_four() {
    let rules = rules(
        "SecRule RESPONSE_STATUS \"@rx ^5\" \"id:1,phase:3,pass\"\nSecRule RESPONSE_HEADERS:Server nginx \"id:2,phase:3,pass\"\n\
         SecRule RESPONSE_BODY secret \"id:3,phase:4,deny,status:502\"\nSecAction \"id:4,phase:5,pass\"",
    );
    let answered = |kind: &'static [u8], body: &[u8]| {
        let mut exchange = run(&rules, &get("/"));
        let fields: [(&[u8], &[u8]); 2] = [(b"Server", b"nginx"), (b"Content-Type", kind)];
        exchange.response_head(&ResponseHead {
            status: 500,
            protocol: b"HTTP/1.1",
            fields: &fields,
        });
        let wants = exchange.wants_response_body();
        exchange.response_body(body);
        exchange.finish();
        (
            ids(&exchange),
            wants,
            exchange.interruption().map(|one| one.status),
        )
    };
    assert_eq!(
        answered(b"text/html; charset=utf-8", b"a secret"),
        (vec![1, 2, 3, 4], true, Some(502))
    );
    assert_eq!(
        answered(b"image/png", b"a secret"),
        (vec![1, 2, 4], false, None)
    );
}

#[test]
fn collections_are_kept_within_the_exchange() {
    let text = "SecAction \"id:1,phase:1,pass,initcol:ip=%{REMOTE_ADDR},setvar:ip.n=+3\"\nSecRule IP:n \"@eq 3\" \"id:2,phase:2,pass\"\nSecRule IP:key \"@streq 203.0.113.9\" \"id:3,phase:2,pass\"";
    assert_eq!(matched(text, &get("/")), [1, 2, 3]);
}

#[test]
fn match_of_a_chain_says_where_its_first_link_matched() {
    let rules = rules(
        "SecRule ARGS \"@contains z\" \"id:2,phase:2,pass,log\"\n\
         SecRule ARGS \"@rx ^x(.)\" \"id:1,phase:2,deny,log,capture,tag:'a',tag:'%{TX.1}',chain\"\n\
         SecRule TX:1 \"@streq y\"\n",
    );
    let views: Vec<_> = rules.rules().map(|one| (one.id, one.ends)).collect();
    assert_eq!(views, [(2, false), (1, true)]);
    assert_eq!(rules.rules().last().unwrap().tags, [b"a"]);
    let transaction = run(&rules, &get("/?a=z&b=xy&c=z"));
    let matches: Vec<_> = transaction.matches().iter().collect();
    let [plain, chain] = matches.as_slice() else {
        panic!("{matches:#?}");
    };
    assert_eq!((plain.first.len(), plain.found.len()), (0, 2));
    assert_eq!(chain.first, [b"ARGS:b".to_vec()]);
    assert_eq!(chain.found[0].target, b"TX:1");
    assert!(plain.is_whole && chain.is_whole);
    let many = format!("/?{}", ["a=z"; 17].join("&"));
    let transaction = run(&rules, &get(many.leak()));
    assert_eq!(transaction.matches()[0].found.len(), 16);
    assert!(!transaction.matches()[0].is_whole);
}
