pub(crate) mod crs;
mod shelf;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use estate::Estate;
use seclang::{Connection, Moment, RequestHead, Ruleset, Transaction};
use testkit::small_estate;

use crate::{Sets, Shelf, check, is_rule_file, read_order};

const SETUP: &str = r#"
SecAction "id:1,phase:1,pass,nolog,setvar:tx.detection_paranoia_level=1,setvar:tx.inbound_anomaly_score_threshold=5"
"#;

const RULES: &str = r#"
SecRule TX:DETECTION_PARANOIA_LEVEL "@lt 2" "id:10,phase:2,pass,nolog,skipAfter:END-2"
SecRule ARGS "@contains strict" "id:11,phase:2,pass,log,tag:'strict',setvar:tx.score=+5"
SecMarker "END-2"
SecRule ARGS "@contains evil" "id:12,phase:2,pass,log,tag:'plain',setvar:tx.score=+5"
SecRule ARGS "@pmFromFile words.data" "id:13,phase:2,pass,log,setvar:tx.score=+5"
SecRule TX:SCORE "@ge %{tx.inbound_anomaly_score_threshold}" "id:99,phase:2,deny,log"
"#;

/// One that keeps nothing.
fn shelf() -> Shelf {
    Shelf::keeping(0)
}

fn texts() -> BTreeMap<String, String> {
    let texts = [
        ("crs/crs-setup.conf", SETUP),
        ("crs/rules/a.conf", RULES),
        ("crs/rules/words.data", "forbidden\n"),
    ];
    texts
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

fn estate(waf: &str) -> Estate {
    let text = small_estate("", &format!("[waf]\nrules = \"crs\"\n{waf}"));
    Estate::parse(&text)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .estate
}

fn rules(waf: &str) -> std::sync::Arc<Ruleset> {
    let estate = estate(waf);
    let sets = Sets::load(&estate, &texts(), &shelf()).unwrap();
    sets.of(&estate.routes[0]).unwrap()
}

/// A request of a route, looked into as far as rules do.
pub(crate) fn run<'r>(
    rules: &'r Ruleset,
    route: &str,
    epoch_s: i64,
    query: &str,
) -> Transaction<'r> {
    let connection = Connection {
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        client_port: 1,
        server: IpAddr::V4(Ipv4Addr::LOCALHOST),
        server_port: 2,
        moment: Moment {
            epoch_s,
            offset_s: 0,
        },
        unique_id: b"test",
    };
    let mut transaction = Transaction::new(rules, &connection).with_application(route.as_bytes());
    let target = format!("/?{query}");
    transaction.request_head(&RequestHead {
        line: format!("GET {target} HTTP/1.1").as_bytes(),
        method: b"GET",
        target: target.as_bytes(),
        protocol: b"HTTP/1.1",
        fields: &[
            (b"host", b"shop.example"),
            (b"user-agent", b"a test"),
            (b"accept", b"*/*"),
        ],
    });
    transaction.request_body(b"");
    transaction
}

/// Ids of rules that were told of, and whether the request was ended.
fn said(rules: &Ruleset, route: &str, epoch_s: i64, query: &str) -> (Vec<u64>, bool) {
    let transaction = run(rules, route, epoch_s, query);
    let told = transaction.matches().iter().filter(|one| one.logged);
    let ended = transaction.interruption().is_some();
    (told.map(|one| one.id).collect(), ended)
}

#[test]
fn settings_come_first_and_data_is_no_rule() {
    let paths = [
        "crs/rules/b.conf",
        "crs/rules/a.conf",
        "crs/rules/a.data",
        "crs/crs-setup.conf.example",
        "crs/plugins/x-after.conf",
        "crs/plugins/x-config.conf",
        "crs/stray.conf",
        "other/rules/c.conf",
    ];
    let order = read_order("crs", paths.into_iter());
    assert_eq!(
        order,
        [
            "crs/crs-setup.conf.example",
            "crs/plugins/x-config.conf",
            "crs/rules/a.conf",
            "crs/rules/b.conf",
            "crs/plugins/x-after.conf",
        ]
    );
    let own = [
        "crs/crs-setup.conf",
        "crs/crs-setup.conf.example",
        "crs/rules/a.conf",
    ];
    assert_eq!(read_order("crs", own.into_iter()).len(), 2);
    let flat = read_order("my", ["my/b.conf", "my/my-setup.conf"].into_iter());
    assert_eq!(flat, ["my/my-setup.conf", "my/b.conf"]);
    for name in [
        "passwd",
        "../a.conf",
        ".hidden.conf",
        "a.conf.bak",
        "key.pem",
    ] {
        assert!(!is_rule_file(name), "{name}");
    }
}

#[test]
fn what_the_estate_says_about_strictness_counts_before_the_settings() {
    let plain = rules("");
    assert_eq!(said(&plain, "posts", 0, "a=evil"), (vec![12, 99], true));
    assert_eq!(said(&plain, "posts", 0, "a=strict"), (vec![], false));
    assert_eq!(
        said(&plain, "posts", 0, "a=forbidden"),
        (vec![13, 99], true)
    );
    let strict = rules("paranoia = 2");
    assert_eq!(said(&strict, "posts", 0, "a=strict"), (vec![11, 99], true));
    let lax = rules("inbound_threshold = 6");
    assert_eq!(said(&lax, "posts", 0, "a=evil"), (vec![12], false));
    assert_eq!(
        said(&lax, "posts", 0, "a=evil&b=forbidden"),
        (vec![12, 13, 99], true)
    );
}

#[test]
fn route_has_rules_as_strict_as_it_says() {
    let other = "[[route]]\nname = \"other\"\nhost = \"b\"\npath = \"/\"\nto = \"posts\"\n\
                 auth = \"none\"\n[waf]\nrules = \"crs\"\n";
    let text = small_estate("waf = { paranoia = 2 }", other);
    let estate = Estate::parse(&text).unwrap().estate;
    let sets = Sets::load(&estate, &texts(), &shelf()).unwrap();
    let [posts, other] = [0, 1].map(|at| sets.of(&estate.routes[at]).unwrap());
    assert!(said(&posts, "posts", 0, "a=strict").1);
    assert!(!said(&other, "other", 0, "a=strict").1);
}

/// Through this day, in seconds.
const LAST_SECOND: i64 = 1_798_761_599;

#[test]
fn exclusion_holds_for_its_rule_its_place_its_route_and_its_time() {
    let why = "reason = \"r\"\nuntil = \"2026-12-31\"\n";
    let with = |what: &str| rules(&format!("[[waf.exclusion]]\n{what}\n{why}"));
    let at = LAST_SECOND;
    for what in ["rule = 12", "tag = \"plain\""] {
        let whole = with(what);
        assert!(!said(&whole, "posts", at, "a=evil").1, "{what}");
        assert!(
            said(&whole, "posts", at, "a=forbidden").1,
            "{what}: others stay"
        );
        assert!(
            said(&whole, "posts", at + 1, "a=evil").1,
            "{what}: it has ended"
        );
        let named = with(&format!("{what}\nparameter = \"a\""));
        assert!(!said(&named, "posts", at, "a=evil").1, "{what}");
        assert!(said(&named, "posts", at, "b=evil").1, "{what}: elsewhere");
        let target = with(&format!("{what}\ntarget = \"ARGS:a\""));
        assert!(!said(&target, "posts", at, "a=evil").1, "{what}");
        let routed = with(&format!("{what}\nparameter = \"a\"\nroute = \"posts\""));
        assert!(!said(&routed, "posts", at, "a=evil").1, "{what}");
        assert!(
            said(&routed, "other", at, "a=evil").1,
            "{what}: another route"
        );
        assert!(
            said(&routed, "posts", at + 1, "a=evil").1,
            "{what}: it has ended"
        );
    }
}

#[test]
fn what_is_wrong_with_rules_is_said_with_its_place() {
    let waf = estate("").waf.unwrap();
    assert_eq!(check(&waf, &texts(), &shelf()), []);
    let mut broken = texts();
    broken.insert(
        "crs/rules/b.conf".to_owned(),
        "\nSecRule ARGS \"@nothing x\" \"id:20\"\nSecRule ARGS \"@pmFromFile gone.data\" \"id:21\"\n"
            .to_owned(),
    );
    let findings = check(&waf, &broken, &shelf());
    let places: Vec<_> = findings
        .iter()
        .map(|one| one.place.clone().unwrap())
        .collect();
    let file = "crs/rules/b.conf".to_owned();
    assert_eq!(places, [(file.clone(), 2), (file, 3)], "{findings:#?}");
    assert!(findings.iter().all(|one| one.is_error));
    let none = check(&waf, &BTreeMap::new(), &shelf());
    assert_eq!(none[0].message, "`crs` holds no rules");
}

#[test]
fn exclusion_of_a_rule_that_is_not_there_is_told() {
    let waf = estate("[[waf.exclusion]]\nrule = 4242\nreason = \"r\"\nuntil = \"2026-12-31\"\n")
        .waf
        .unwrap();
    let findings = check(&waf, &texts(), &shelf());
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(!findings[0].is_error && findings[0].span.is_some());
    assert_eq!(findings[0].message, "there is no rule 4242");
}

#[test]
fn rules_that_only_detect_are_carried_out_all_the_same() {
    let mut texts = texts();
    let setup = texts.get_mut("crs/crs-setup.conf").unwrap();
    setup.push_str("SecRuleEngine DetectionOnly\n");
    let estate = estate("");
    let sets = Sets::load(&estate, &texts, &shelf()).unwrap();
    let rules = sets.of(&estate.routes[0]).unwrap();
    assert!(said(&rules, "posts", 0, "a=evil").1);
}

/// The rules of Rampart, as strictly as `tuning` says.
fn builtin(tuning: &str) -> std::sync::Arc<Ruleset> {
    let text = small_estate("", &format!("[waf]\nrules = \"builtin\"\n{tuning}"));
    let estate = Estate::parse(&text)
        .unwrap_or_else(|errors| panic!("{errors:#?}"))
        .estate;
    let sets = Sets::load(&estate, &BTreeMap::new(), &shelf());
    sets.unwrap().of(&estate.routes[0]).unwrap()
}

#[test]
fn rules_of_rampart_are_meant_as_strictly_as_the_estate_says() {
    const INJECTION: &str = "id=1%27%20UNION%20SELECT%20password%20FROM%20users--%20-";
    let (told, ended) = said(&builtin(""), "posts", 0, INJECTION);
    assert!(ended && !told.is_empty(), "{told:?}");
    let (told, ended) = said(&builtin("inbound_threshold = 1000"), "posts", 0, INJECTION);
    assert!(!ended && !told.is_empty(), "a threshold far away: {told:?}");
    let excepted = told.iter().fold(String::new(), |text, id| {
        let day = "reason = \"a test\"\nuntil = \"2027-01-01\"";
        format!("{text}[[waf.exclusion]]\nrule = {id}\n{day}\n")
    });
    let (told, ended) = said(&builtin(&excepted), "posts", 0, INJECTION);
    assert!(!ended && told.is_empty(), "excepted: {told:?}");
    // A rule of the second level: it only names a table that databases have.
    for (paranoia, expected) in [("paranoia = 1", false), ("paranoia = 2", true)] {
        let (told, ended) = said(&builtin(paranoia), "posts", 0, "q=sqlite_master");
        assert_eq!(
            (ended, !told.is_empty()),
            (expected, expected),
            "{paranoia}"
        );
    }
}
