use super::*;

#[test]
fn messages_become_sentences() {
    assert_eq!(sentence("the name `a` is taken"), "The name `a` is taken.");
    assert_eq!(sentence("done."), "Done.");
    assert_eq!(sentence(""), "");
}

#[test]
fn internals_are_not_shown() {
    let error = WebError::Failed {
        kind: ErrorKind::Internal,
        text: "password of the database is `hunter2`".to_owned(),
    };
    assert!(!error.text().contains("hunter2"));
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn a_missing_permission_is_named_and_forbidden() {
    let needed = model::own::permission(model::own::PEOPLE_READ);
    let response = WebError::from(Denied {
        needed: needed.clone(),
    })
    .into_response();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let failure = response.extensions().get::<Failure>().unwrap();
    assert_eq!(failure.missing, Some(Denied { needed }));
}
