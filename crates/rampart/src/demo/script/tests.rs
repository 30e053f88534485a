//! What the script itself decides; the whole day is played by the program's own tests.

use serde_json::json;

use super::*;

#[test]
fn a_record_speaks_of_its_step_and_of_no_other() {
    let record = |detail: Value| json!({ "index": 1, "event": { "detail": detail } });
    assert!(speaks_of(&record(json!({ "step": "inspect" })), "inspect"));
    assert!(speaks_of(
        &record(json!({ "code": "inspect.sql_injection" })),
        "inspect"
    ));
    assert!(!speaks_of(
        &record(json!({ "code": "inspected.x" })),
        "inspect"
    ));
    assert!(!speaks_of(&record(json!({})), "inspect"));
    assert!(!speaks_of(&json!({}), "inspect"));
}

#[test]
fn only_an_http_answer_has_a_status() {
    assert_eq!(status_of("HTTP/1.1 400 Bad Request\r\n\r\n"), 400);
    assert_eq!(status_of(""), 0);
    assert_eq!(status_of("HTTP/1.1 x"), 0);
}

#[test]
fn everybody_who_acts_is_cast() {
    let parts: Vec<&str> = PEOPLE.iter().map(|person| person.part).collect();
    let known = |who: &str| who == "stranger" || who == ROBOT || parts.contains(&who);
    assert!(VISITS.iter().all(|visit| known(visit.who)));
    assert!(
        campaign::all()
            .unwrap()
            .iter()
            .all(|campaign| known(&campaign.who))
    );
}
