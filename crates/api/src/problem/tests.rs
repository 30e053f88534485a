use model::Span;

use super::*;

#[test]
fn internals_stay_behind_the_request_id() {
    let problem = Problem::new(ErrorKind::Internal, "password of the database is `hunter2`");
    let text = serde_json::to_string(&problem).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(problem.status, 500);
}

#[test]
fn findings_carry_line_and_column() {
    let source = "a = 1\nb = x\n";
    let finding = Diagnostic::error("estate.bad", Span { start: 10, end: 11 }, "`x`".to_owned())
        .hint("did you mean `y`?");
    let problem = Problem::new(ErrorKind::Invalid, "no").with_diagnostics(&[finding], source);
    assert_eq!(problem.errors[0].line, Some(2));
    assert_eq!(problem.errors[0].column, Some(5));
    assert_eq!(problem.errors[0].hint.as_deref(), Some("did you mean `y`?"));
}

#[test]
fn every_kind_has_a_status_of_its_own() {
    let kinds = [
        (ErrorKind::Invalid, 422),
        (ErrorKind::NotFound, 404),
        (ErrorKind::Denied, 403),
        (ErrorKind::Conflict, 409),
        (ErrorKind::Limit, 429),
        (ErrorKind::Unavailable, 503),
        (ErrorKind::Corrupt, 500),
        (ErrorKind::Internal, 500),
    ];
    for (kind, status) in kinds {
        assert_eq!(Problem::new(kind, "x").status, status, "{kind:?}");
    }
}

#[test]
fn a_limit_says_when_to_try_again() {
    let response = Problem::new(ErrorKind::Limit, "busy").into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let response = Problem::unauthenticated("no").into_response();
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
}
