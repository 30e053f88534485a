use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use estate::Estate;
use testkit::{FakeClock, SeededEntropy};
use waf::Shelf;

use super::*;
use crate::contract::Documents;
use crate::metrics::Registry;
use crate::state::Builder;
use crate::upstream::Around;

const DOCUMENT: &str = "openapi: 3.1.0\ninfo: { title: Things, version: '1' }\npaths:\n  /things:\n    \
                        get:\n      responses: { '200': { description: fine } }\n";

fn state(route: &str) -> State {
    let source = format!(
        "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[[service]]\nname = \"s\"\n\
         address = \"127.0.0.1:1\"\n[[route]]\nname = \"things\"\npath = \"/**\"\nto = \"s\"\n\
         auth = \"none\"\n{route}\n"
    );
    let estate = Estate::parse(&source).unwrap().estate;
    let texts = [("things.yaml".to_owned(), DOCUMENT.to_owned())].into();
    let documents = Documents::compile(&estate, &texts, &Shelf::keeping(0)).unwrap();
    let (clock, entropy) = (Arc::new(FakeClock::new()), Arc::new(SeededEntropy::new(1)));
    let around = Around::new(Path::new("."), clock, entropy, None, 1);
    let builder = Builder::new(around, Arc::new(Registry::new(1)));
    builder.supposed(1, Arc::new(estate), &documents)
}

fn exchange(path: &str) -> Exchange<'_> {
    Exchange {
        method: "GET",
        path,
        query: None,
        request: None,
        status: 200,
        response: None,
        source: 1,
    }
}

#[test]
fn exchanges_beyond_the_pace_are_counted_and_the_next_second_begins_anew() {
    let book = Book::default();
    let state = state("learn = true");
    let beyond = 7;
    for _ in 0..EXCHANGES_PER_S_MAX + beyond {
        book.observe(
            "things",
            Timestamp::from_millis(5_000),
            &exchange("/things"),
        );
    }
    book.observe(
        "things",
        Timestamp::from_millis(6_000),
        &exchange("/things"),
    );
    let news = book.news(&state);
    assert_eq!(news.len(), 1);
    assert_eq!(news[0].exchanges, u64::from(EXCHANGES_PER_S_MAX) + 1);
    assert_eq!(news[0].skipped, u64::from(beyond));
    assert!(news[0].drift.is_none(), "the route has no document");
}

#[test]
fn what_is_new_is_told_once_and_who_learns_no_more_is_forgotten() {
    let book = Book::default();
    let learning = state("learn = true\nopenapi = \"things.yaml\"");
    book.observe("things", Timestamp::from_millis(0), &exchange("/things"));
    let news = book.news(&learning);
    assert!(news[0].drift.is_some());
    assert!(news[0].proposal.contains("title"), "{}", news[0].proposal);
    assert_eq!(book.news(&learning), []);
    book.observe("things", Timestamp::from_millis(0), &exchange("/things"));
    assert_eq!(book.news(&learning)[0].exchanges, 2);
    assert_eq!(book.news(&state("learn = false")), []);
    book.observe("things", Timestamp::from_millis(0), &exchange("/things"));
    assert_eq!(book.news(&learning)[0].exchanges, 1, "it began anew");
}

#[test]
fn clients_are_told_apart_by_numbers_of_this_process_alone() {
    let (one, other) = (Book::default(), Book::default());
    let client = IpAddr::from(Ipv4Addr::LOCALHOST);
    assert_eq!(one.source(client), one.source(client));
    assert_ne!(one.source(client), other.source(client));
}

#[test]
fn route_whose_document_is_missing_or_broken_refuses_the_version() {
    let source = "[estate]\nname = \"t\"\ndomain = \"t.example\"\n[[service]]\nname = \"s\"\n\
                  address = \"127.0.0.1:1\"\n[[route]]\npath = \"/**\"\nto = \"s\"\nauth = \"none\"\n\
                  openapi = \"things.yaml\"\n";
    let estate = Estate::parse(source).unwrap().estate;
    let said = Documents::compile(&estate, &BTreeMap::new(), &Shelf::keeping(0))
        .unwrap_err()
        .to_string();
    assert_eq!(said, "document `things.yaml`: its text did not come along");
    let broken = [(
        "things.yaml".to_owned(),
        "openapi: 3.1.0\npaths: 3".to_owned(),
    )]
    .into();
    let said = Documents::compile(&estate, &broken, &Shelf::keeping(0))
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("document `things.yaml`: 1:")
            || said.starts_with("document `things.yaml`: 2:"),
        "{said}"
    );
}
