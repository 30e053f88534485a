//! Documents that an estate names belong to its versions.

use std::collections::BTreeMap;

use estate::ChangeKind;

use super::*;

const PATH: &str = "apis/orders.yaml";

/// A document with these operations, each `METHOD /path`.
fn document(operations: &[&str]) -> String {
    let mut text = "openapi: 3.1.0\ninfo: { title: Orders, version: '1' }\npaths:\n".to_owned();
    for operation in operations {
        let (method, path) = operation.split_once(' ').unwrap();
        let method = method.to_lowercase();
        text.push_str(&format!(
            "  {path}:\n    {method}:\n      responses: {{ '200': {{ description: fine }} }}\n"
        ));
    }
    text
}

fn estate() -> String {
    first().replacen(
        "[[route]]\n",
        &format!("[[route]]\nopenapi = \"{PATH}\"\n"),
        1,
    )
}

fn sources(operations: &[&str]) -> Sources {
    Sources {
        documents: BTreeMap::from([(PATH.to_owned(), document(operations))]),
        ..Sources::from(estate())
    }
}

async fn apply(control: &Control, ctx: &Context, sources: &Sources) -> Arc<Version> {
    let plan = control.rollout.plan(ctx, sources).await.unwrap();
    let applied = control.rollout.apply(ctx, &reference(&plan), sources).await;
    applied.unwrap()
}

#[tokio::test]
async fn document_is_part_of_the_version_and_is_there_after_a_start() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let mut with_more = sources(&["GET /orders"]);
    with_more
        .documents
        .insert("other.yaml".to_owned(), "not named".to_owned());
    let version = apply(&control, &ctx, &with_more).await;
    assert_eq!(
        version.sources(),
        sources(&["GET /orders"]),
        "only what is named"
    );
    drop(control);
    let control = fixture.control("a").await;
    let opened = control.rollout.current().unwrap();
    assert_eq!(opened.sources(), version.sources());
    assert_eq!(opened.hash, version.hash);
}

#[tokio::test]
async fn plan_names_operations_that_come_and_go() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let before = sources(&["GET /orders", "DELETE /old"]);
    let plan = control.rollout.plan(&ctx, &before).await.unwrap();
    let change = plan.changes.last().unwrap();
    assert_eq!(
        (change.kind, change.what.as_str()),
        (ChangeKind::Added, "document `apis/orders.yaml`")
    );
    apply(&control, &ctx, &before).await;
    let after = sources(&["GET /orders", "POST /new"]);
    let plan = control.rollout.plan(&ctx, &after).await.unwrap();
    assert_eq!(plan.changes.len(), 1, "the estate's own text is the same");
    let change = &plan.changes[0];
    assert_eq!(change.kind, ChangeKind::Changed);
    assert_eq!(
        change.detail,
        [
            "operation `POST /new` added",
            "operation `DELETE /old` removed",
            "text: 2 lines added, 2 removed"
        ]
    );
    let mut described = after.clone();
    let text = described.documents.get_mut(PATH).unwrap();
    *text = text.replacen("description: fine", "description: finer", 1);
    let drift = control.rollout.drift(&ctx, &described).await.unwrap();
    assert_eq!(
        drift.changes[0].detail[2],
        "operation `GET /orders` changed"
    );
    let drift = control.rollout.drift(&ctx, &after).await.unwrap();
    assert!(!drift.same_text);
    assert_eq!(drift.changes, plan.changes);
    assert!(
        control
            .rollout
            .drift(&ctx, &before)
            .await
            .unwrap()
            .same_text
    );
    assert_eq!(apply(&control, &ctx, &after).await.number, 2);
}

#[tokio::test]
async fn another_document_than_the_planned_one_is_not_applied() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let plan = control.rollout.plan(&ctx, sources(&["GET /orders"])).await;
    let plan = reference(&plan.unwrap());
    let other = sources(&["GET /orders", "DELETE /orders"]);
    let error = control
        .rollout
        .apply(&ctx, &plan, &other)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherText), "{error:?}");
    let error = control
        .rollout
        .apply(&ctx, &plan, &estate())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OtherText), "{error:?}");
}

#[tokio::test]
async fn errors_of_the_estate_and_of_its_documents_are_told_at_once_each_at_its_place() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    let ctx = fixture.ctx();
    let absent = control.rollout.plan(&ctx, estate()).await.unwrap_err();
    let found = &absent.diagnostics()[0];
    assert_eq!(found.code, "openapi.absent");
    let text = estate();
    let span = found.span.unwrap();
    assert_eq!(
        text.get(span.start..span.end).unwrap(),
        "\"apis/orders.yaml\""
    );
    let bad = Sources {
        estate: format!("{}\n[unknown]\n", estate()),
        documents: BTreeMap::from([(PATH.to_owned(), "openapi: 3.1.0\npaths: 3\n".to_owned())]),
        ..Sources::default()
    };
    let error = control.rollout.plan(&ctx, &bad).await.unwrap_err();
    let codes: Vec<_> = error.diagnostics().iter().map(|one| &*one.code).collect();
    assert!(codes.contains(&"estate.unknown_key"), "{codes:?}");
    assert!(codes.contains(&"openapi.document"), "{codes:?}");
    let within = error
        .diagnostics()
        .iter()
        .find_map(|one| one.within.as_ref());
    assert_eq!(within.unwrap().file, PATH);
}

#[tokio::test]
async fn document_that_was_edited_in_the_store_is_not_taken_into_force() {
    let fixture = Fixture::new();
    let control = fixture.control("a").await;
    apply(&control, &fixture.ctx(), &sources(&["GET /orders"])).await;
    let mut tx = control.store.begin().await.unwrap();
    tx.execute("UPDATE estate_document SET source = source || '#'", &[])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let error = fixture
        .open(&control.store, &control.trail)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Altered(1)), "{error:?}");
}

#[test]
fn hash_of_an_estate_alone_is_that_of_its_text_and_no_two_lists_are_the_same() {
    let alone = Sources::from("abc");
    // SHA-256 of `abc` (FIPS 180-4, appendix B.1).
    assert!(alone.hash().starts_with("ba7816bf8f01cfea"));
    let with = |path: &str, text: &str| Sources {
        documents: BTreeMap::from([(path.to_owned(), text.to_owned())]),
        ..alone.clone()
    };
    let hashes = [
        alone.hash(),
        with("a.yaml", "x").hash(),
        with("b.yaml", "x").hash(),
        with("a.yaml", "y").hash(),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn documents_are_read_beside_the_file_and_what_cannot_be_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let read = Sources::beside(estate(), folder.path());
    assert!(read.missing.contains_key(PATH), "{read:?}");
    std::fs::create_dir_all(folder.path().join("apis")).unwrap();
    let text = document(&["GET /orders"]);
    ::store::atomic_write(&folder.path().join(PATH), text.as_bytes(), 0o644).unwrap();
    let read = Sources::beside(estate(), folder.path());
    assert_eq!(read, sources(&["GET /orders"]));
    ::store::atomic_write(&folder.path().join(PATH), b"\xff", 0o644).unwrap();
    let read = Sources::beside(estate(), folder.path());
    assert_eq!(read.missing[PATH], "it is not UTF-8");
}
