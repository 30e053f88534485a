//! From a match to an exclusion in force: explained, planned, confirmed, applied; by who may alone.

use model::{Class, Context, Event, Principal, RequestId};
use serde_json::{Value, json};

use super::*;

const WAF: &str = "\n[waf]\nrules = \"builtin\"\n";

async fn ruled() -> World {
    let world = World::new().await;
    let text = format!("{}{WAF}", world::ESTATE);
    let ctx = world.system();
    let plan = world
        .services
        .rollout
        .plan(&ctx, text.as_str())
        .await
        .unwrap();
    let plan = rollout::PlanRef {
        base: plan.base,
        hash: plan.hash,
    };
    let applied = world.services.rollout.apply(&ctx, &plan, text.as_str());
    applied.await.unwrap();
    world
}

/// A refusal by Rampart's own rules, at `target`; the path of its page.
async fn refused(world: &World, target: &str, value: &str) -> String {
    let services = &world.services;
    let ctx = Context::system(&*services.clock, &*services.entropy);
    let kind = "gateway.request.refused";
    let rules = json!([
        {
            "id": 25_010_010, "message": "SQL injection by its tokens", "place": "sql-injection.conf:6", "score": 5,
            "found": [{ "target": target, "value": value }],
        },
        { "id": 25_990_020, "message": "too much", "found": [{ "target": "TX:rampart_score", "value": "5" }] },
    ]);
    let sum = json!({ "name": "rampart_score", "score": 5, "threshold": 5 });
    let mut event = Event::change(kind, &ctx, &*services.clock, &*services.entropy)
        .class(Class::Traffic)
        .target("route", "orders")
        .with("step", "waf")
        .with("code", "waf.match")
        .with("method", "POST")
        .with("host", "www.shop.example")
        .with("path", "/api/orders/7");
    let mut put = |name: &str, value: Value| event.detail.insert(name.to_owned(), value);
    put("score", json!(5));
    put("rules", rules);
    put("decision", json!({ "rule": 25_990_020, "sum": sum }));
    event.actor = Principal::anonymous();
    event.request_id = Some(RequestId::new(&*services.clock, &*services.entropy));
    let path = format!("/gateway/rules/{}", event.id);
    services.trail.append(vec![event]).await.unwrap();
    path
}

fn exclusions(world: &World) -> Vec<estate::Exclusion> {
    let version = world.services.rollout.current().unwrap();
    let waf = version.estate.waf.as_ref().unwrap();
    waf.exclusions.clone()
}

const FIELDS: [(&str, &str); 3] = [
    ("place", "ARGS:comment"),
    ("reason", "comments \"quote\" SQL"),
    ("until", "2099-01-31"),
];

#[tokio::test]
async fn match_is_explained_and_excepted_through_a_plan() {
    let world = ruled().await;
    let path = refused(&world, "ARGS:comment", "1' or").await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    let list = browser.get("/gateway/rules").await;
    assert!(
        list.body.contains(&format!("href=\"{path}\"")),
        "{}",
        list.body
    );
    let page = browser.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for said in ["25010010", "sql-injection.conf:6", "ARGS:comment", "+5"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(text(&page, ".state").contains("came to 5"), "{}", page.body);
    // The rule that adds up is not excepted: nothing would be refused any more.
    assert!(!page.body.contains("rule=25990020"), "{}", page.body);
    let form = browser
        .get(&format!(
            "{path}/exclude?rule=25010010&place=ARGS%3Acomment"
        ))
        .await;
    assert_eq!(text(&form, "h1"), "Except a rule");
    // What the estate would not take is said, and what was typed stays.
    let fields = [FIELDS[0], ("reason", " "), FIELDS[2]];
    let page = browser.submit(&form, &path, &fields).await;
    assert!(page.body.contains("Not planned"), "{}", page.body);
    let page = browser.submit(&form, &path, &FIELDS).await;
    assert_eq!(text(&page, "h1"), "Plan a change", "{}", page.body);
    let added = text(&page, "#added-h ~ p");
    assert!(added.contains("would have passed the rules"), "{added}");
    assert!(added.contains("the estate file"), "{added}");
    let lines = text(&page, ".secret code");
    assert!(
        lines.contains("parameter = \"comment\"\nroute = \"orders\""),
        "{lines}"
    );
    assert!(
        text(&page, ".changes").contains("exclusion of"),
        "{}",
        page.body
    );
    assert_eq!(exclusions(&world), [], "a plan changes nothing");
    let page = browser
        .submit(&page, "/estate/apply", &[("typed", "apply 3")])
        .await;
    assert!(text(&page, ".state").contains("Version 3"), "{}", page.body);
    let [one] = &exclusions(&world)[..] else {
        panic!("{:#?}", exclusions(&world));
    };
    assert_eq!(
        (one.rule, one.route.as_deref()),
        (Some(25_010_010), Some("orders"))
    );
    assert_eq!(
        (one.reason.as_str(), one.until.as_str()),
        (FIELDS[1].1, FIELDS[2].1)
    );
    assert!(one.targets.contains(&"ARGS:comment".to_owned()));
}

#[tokio::test]
async fn who_may_not_apply_the_estate_sees_the_match_and_excepts_nothing() {
    let world = ruled().await;
    let path = refused(&world, "ARGS:comment", "1' or").await;
    let (mut ada, _) = signed_in(&world, "ada", &["administrator"]).await;
    let form = ada.get(&format!("{path}/exclude?rule=25010010")).await;
    let (mut noor, _) = signed_in(&world, "noor", &["auditor"]).await;
    let page = noor.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(!page.body.contains("/exclude"), "{}", page.body);
    let exclude = format!("{path}/exclude");
    let page = noor.get(&format!("{exclude}?rule=25010010")).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(text(&page, ".facts").contains("rampart.estate:apply"));
    // Another's form is of no use: its token was made for them.
    let (_, body) = filled(&form.body, &path, &FIELDS);
    let page = noor.ask(Method::POST, &exclude, Some(body)).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    // Nor is a token of one's own.
    let settings = noor.get("/settings").await;
    let (_, own) = filled(&settings.body, "/settings", &FIELDS);
    let page = noor
        .ask(Method::POST, &exclude, Some(format!("{own}&rule=25010010")))
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let (_, body) = filled(&form.body, &path, &FIELDS);
    let stale = body.replace("form_token=", "form_token=x");
    let page = ada.ask(Method::POST, &exclude, Some(stale)).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(exclusions(&world), []);
}

#[tokio::test]
async fn names_of_strangers_stay_text_and_are_no_choice() {
    let world = ruled().await;
    let name = "ARGS:<script>alert(1)</script>\"\n[[route]]";
    let path = refused(&world, name, "\"><img src=x onerror=alert(1)>").await;
    let (mut browser, _) = signed_in(&world, "ada", &["administrator"]).await;
    let page = browser.get(&path).await;
    for tag in ["<script>alert", "<img src=x"] {
        assert!(!page.body.contains(tag), "{}", page.body);
    }
    let form = browser.get(&format!("{path}/exclude?rule=25010010")).await;
    assert!(!form.body.contains("alert(1)"), "{}", form.body);
    for place in [name, "ARGS:other", "*\"\nmode = \"observe"] {
        let fields = [("place", place), FIELDS[1], FIELDS[2]];
        let page = browser.submit(&form, &path, &fields).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{place}");
    }
    // Everywhere on the route is what can be named.
    let fields = [("place", "*"), FIELDS[1], FIELDS[2]];
    let page = browser.submit(&form, &path, &fields).await;
    assert!(
        !text(&page, ".secret code").contains("parameter"),
        "{}",
        page.body
    );
    for other in ["evt_1", "nothing", "0"] {
        let page = browser.get(&format!("/gateway/rules/{other}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{other}");
    }
}
