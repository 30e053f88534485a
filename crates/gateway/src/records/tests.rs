use std::path::Path;

use merkle::{Frontier, leaf_hash};
use model::{Event, EventId, SegmentId};
use testkit::{FakeClock, SeededEntropy};

use super::refusals::Refusals;
use super::segment::{self, Segment};
use super::*;
use crate::link::protocol::Seal;

struct Ground {
    folder: tempfile::TempDir,
    clock: FakeClock,
    entropy: Arc<SeededEntropy>,
}

impl Ground {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: FakeClock::new(),
            entropy: Arc::new(SeededEntropy::new(3)),
        }
    }

    fn open(&self) -> Recorder {
        let settings = Settings {
            dir: self.folder.path().to_path_buf(),
            node: "test".to_owned(),
        };
        Recorder::open(settings, Arc::new(self.clock.clone()), self.entropy.clone()).unwrap()
    }

    fn traffic(&self) -> PathBuf {
        self.folder.path().join("traffic")
    }

    fn now(&self) -> Timestamp {
        model::Clock::now(&self.clock)
    }

    fn line<'a>(&self, path: &'a str) -> RequestLine<'a> {
        RequestLine {
            time: self.now(),
            request_id: RequestId::from_raw(1),
            source: "192.0.2.1",
            host: "shop.example",
            method: "GET",
            path,
            route: "home",
            slot: RouteSlot::default(),
            status: 200,
            took: Duration::from_micros(250),
            bytes_in: 0,
            bytes_out: 12,
            principal: None,
            refused: None,
            observed: &[],
            rules: &[],
        }
    }

    fn refusal<'a>(&self, source: &str, code: &'static str, text: &'a str) -> Refusal<'a> {
        Refusal {
            time: self.now(),
            request_id: RequestId::from_raw(1),
            source: source.parse().unwrap(),
            host: "shop.example",
            method: "GET",
            path: "/a",
            route: Some("home"),
            principal: None,
            code,
            text,
            status: 403,
            mode: Mode::Block,
            after: None,
            rule: None,
            argument: None,
            matches: &[],
            score: None,
            decision: None,
            answered: None,
        }
    }
}

/// The root and count that a file's lines really have.
fn recomputed(path: &Path) -> (String, u64) {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').skip(1).collect();
    let mut tree = Frontier::new();
    for group in lines.chunks(64) {
        tree.push(leaf_hash(group.concat().as_bytes()));
    }
    let root = tree
        .root()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (root, u64::try_from(lines.len()).unwrap())
}

async fn sealed(recorder: &Recorder, after: u64) -> (u64, Seal) {
    let mut after = after;
    loop {
        match recorder.next(after).await {
            (id, Content::Seal(seal)) => return (id, seal),
            (id, Content::Events(_)) => after = id,
        }
    }
}

#[tokio::test]
async fn seal_is_the_root_of_the_lines_in_the_file() {
    let ground = Ground::new();
    let recorder = ground.open();
    for n in 0..500 {
        recorder.request(&ground.line(&format!("/p/{n}\u{1}\"")));
    }
    let closing = recorder.clone();
    let closed = tokio::spawn(async move { closing.close().await });
    let (id, seal) = sealed(&recorder, 0).await;
    recorder.done(id);
    closed.await.unwrap();
    assert_eq!((seal.count, seal.gap), (500, 0));
    assert_eq!(seal.routes, [("other".to_owned(), 500)].into());
    let (_, path, _) = segment::sealed(&ground.traffic()).unwrap().remove(0);
    assert_eq!(recomputed(&path), (seal.root, 500));
    let text = std::fs::read_to_string(path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["path"], "/p/0\u{1}\"");
    assert_eq!(line["us"], 250);
}

#[test]
fn what_a_crash_left_open_is_sealed_without_its_torn_line() {
    let ground = Ground::new();
    std::fs::create_dir(ground.traffic()).unwrap();
    let id = SegmentId::from_raw(9);
    let mut segment = Segment::begin(&ground.traffic(), id, "test", ground.now()).unwrap();
    let mut lines = Vec::new();
    for _ in 0..3 {
        line::write(&mut lines, &mut line::Stamp::default(), &ground.line("/"));
    }
    segment.append(&lines, &[], ground.now()).unwrap();
    segment
        .append(b"{\"time\":\"2026-0", &[], ground.now())
        .unwrap();
    drop(segment);
    let seals = segment::recover(&ground.traffic(), None).unwrap().seals;
    assert_eq!((seals[0].segment, seals[0].count), (id, 3));
    let (_, path, _) = segment::sealed(&ground.traffic()).unwrap().remove(0);
    assert_eq!(recomputed(&path), (seals[0].root.clone(), 3));
    assert_eq!(
        segment::recover(&ground.traffic(), None).unwrap().seals,
        [],
        "once"
    );
}

/// A segment as a process that is gone left it.
#[expect(clippy::disallowed_methods, reason = "it stands for what a crash left")]
fn leave_open(ground: &Ground, text: &str) -> PathBuf {
    let folder = ground.traffic();
    std::fs::create_dir_all(&folder).unwrap();
    let open = folder.join("seg_01KAZ0000000000000000000A1.ndjson");
    std::fs::write(&open, text).unwrap();
    open
}

#[test]
fn segments_of_every_format_are_sealed_as_their_first_line_says() {
    // The roots were computed by another program, from RFC 9162 §2.1.1.
    for (name, text, count, root) in [
        (
            "v1",
            include_str!("../../testdata/formats/traffic-v1.ndjson"),
            5,
            "67068bd35278ac918572dc433784fcfe69ed311e228d3d43e6193b8180457cde",
        ),
        (
            "v2",
            include_str!("../../testdata/formats/traffic-v2.ndjson"),
            70,
            "760e31e6bb903be377a8a3650251a51d573d204aa141f9a7828e10f921c295ff",
        ),
    ] {
        let ground = Ground::new();
        leave_open(&ground, text);
        let seal = segment::recover(&ground.traffic(), None)
            .unwrap()
            .seals
            .remove(0);
        assert_eq!((seal.count, seal.root.as_str()), (count, root), "{name}");
    }
}

#[test]
fn segment_of_an_unknown_format_stays_as_it_is() {
    let ground = Ground::new();
    for head in [
        r#"{"format":"rampart.traffic.v3"}"#,
        r#"{"format":"rampart.traffic.v2","leaf_lines":8}"#,
        "torn",
    ] {
        let text = format!("{head}\n{{\"time\":\"2026-11-20T10:00:00.000Z\"}}\n");
        let open = leave_open(&ground, &text);
        assert_eq!(segment::recover(&ground.traffic(), None).unwrap().seals, []);
        assert_eq!(std::fs::read_to_string(&open).unwrap(), text, "{head}");
    }
}

#[test]
fn empty_segment_of_a_crash_is_removed() {
    let ground = Ground::new();
    std::fs::create_dir(ground.traffic()).unwrap();
    let begun = Segment::begin(
        &ground.traffic(),
        SegmentId::from_raw(9),
        "test",
        ground.now(),
    );
    drop(begun.unwrap());
    assert_eq!(segment::recover(&ground.traffic(), None).unwrap().seals, []);
    assert_eq!(std::fs::read_dir(ground.traffic()).unwrap().count(), 0);
}

#[test]
fn old_segments_go_and_then_the_oldest_of_too_many() {
    let ground = Ground::new();
    std::fs::create_dir(ground.traffic()).unwrap();
    for _ in 0..5 {
        let id = SegmentId::new(&ground.clock, &*ground.entropy);
        let mut segment = Segment::begin(&ground.traffic(), id, "test", ground.now()).unwrap();
        segment.append(b"{}\n", &[], ground.now()).unwrap();
        segment.seal(0).unwrap();
        ground.clock.advance(Duration::from_secs(100));
    }
    let keep_ms = 350_000;
    let gone = retention::clean_to(&ground.traffic(), keep_ms, ground.now(), u64::MAX).unwrap();
    assert_eq!((gone.old, gone.crowded), (2, 0));
    let room = 2 * segment::sealed(&ground.traffic()).unwrap()[0].2;
    let gone = retention::clean_to(&ground.traffic(), keep_ms, ground.now(), room).unwrap();
    assert_eq!((gone.old, gone.crowded), (0, 1));
    assert_eq!(segment::sealed(&ground.traffic()).unwrap().len(), 2);
}

#[tokio::test]
async fn lines_that_find_no_room_are_counted_in_the_next_seal() {
    let ground = Ground::new();
    let recorder = ground.open();
    {
        let mut waiting = recorder.0.waiting();
        waiting.lines = vec![b'\n'; WAITING_BYTES_MAX];
        waiting.lines.clear();
        let Waiting { lines, stamp, .. } = &mut *waiting;
        line::write(lines, stamp, &ground.line("/"));
        let one = waiting.lines.clone();
        while waiting.lines.len() < WAITING_BYTES_MAX {
            waiting.lines.extend_from_slice(&one);
        }
        drop(waiting);
    }
    // The writer may have come in between: then there is room, and nothing to see here.
    for _ in 0..3 {
        recorder.request(&ground.line("/late"));
    }
    let gap = recorder.gap();
    assert!(gap <= 3);
    let closing = recorder.clone();
    let closed = tokio::spawn(async move { closing.close().await });
    let (id, seal) = sealed(&recorder, 0).await;
    assert_eq!(seal.gap, gap);
    recorder.done(id);
    closed.await.unwrap();
}

#[tokio::test]
async fn folder_that_cannot_be_written_to_costs_records_and_nothing_else() {
    let ground = Ground::new();
    let recorder = ground.open();
    std::fs::remove_dir_all(ground.traffic()).unwrap();
    recorder.request(&ground.line("/"));
    let seen = testkit::eventually(Duration::from_secs(5), || async { recorder.gap() == 1 });
    assert!(seen.await);
    std::fs::create_dir(ground.traffic()).unwrap();
    recorder.request(&ground.line("/"));
    let closing = recorder.clone();
    let closed = tokio::spawn(async move { closing.close().await });
    let (id, seal) = sealed(&recorder, 0).await;
    assert_eq!(
        (seal.count, seal.gap),
        (1, 1),
        "it heals, and the gap is told"
    );
    recorder.done(id);
    closed.await.unwrap();
}

#[tokio::test]
async fn first_refusal_is_told_at_once() {
    let ground = Ground::new();
    let recorder = ground.open();
    recorder.refused(ground.refusal("192.0.2.1", "inspect.xss", "the query argument `q`"));
    let (_, content) = recorder.next(0).await;
    let Content::Events(events) = content else {
        panic!("{content:?}");
    };
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].kind, "gateway.request.refused");
    assert_eq!(events[0].detail["step"], "inspect");
    assert_eq!(
        events[0].message,
        "inspect refused GET shop.example/a: the query argument `q`"
    );
}

fn add(refusals: &mut Refusals, ground: &Ground, source: &str, code: &'static str) -> bool {
    let refusal = ground.refusal(source, code, "no");
    refusals.add(refusal, &ground.clock, &*ground.entropy)
}

fn counts(events: &[Event]) -> Vec<u64> {
    let count = |event: &Event| event.detail.get("count").map_or(1, |n| n.as_u64().unwrap());
    events.iter().map(count).collect()
}

#[test]
fn refusals_of_one_kind_and_second_are_two_events_that_add_up() {
    let ground = Ground::new();
    let mut refusals = Refusals::default();
    for n in 0..100 {
        assert_eq!(
            add(&mut refusals, &ground, "192.0.2.1", "limits.route"),
            n == 0
        );
    }
    assert!(
        add(&mut refusals, &ground, "192.0.2.2", "limits.route"),
        "another address"
    );
    assert!(
        add(&mut refusals, &ground, "192.0.2.1", "path.null"),
        "another code"
    );
    let at_once = refusals.take(ground.now());
    assert_eq!(counts(&at_once), [1, 1, 1]);
    ground.clock.advance(Duration::from_secs(1));
    let rest = refusals.take(ground.now());
    assert_eq!(counts(&rest), [99]);
    assert!(rest[0].message.ends_with("(99 times within a second)"));
    ground.clock.advance(Duration::from_secs(1));
    assert_eq!(refusals.take(ground.now()), []);
}

#[test]
fn a_flood_from_everywhere_stays_bounded_and_is_counted_whole() {
    let ground = Ground::new();
    let mut refusals = Refusals::default();
    for n in 0..10_000_u32 {
        let source = std::net::Ipv4Addr::from(n).to_string();
        add(&mut refusals, &ground, &source, "authenticate.key_unknown");
    }
    let mut events = refusals.take(ground.now());
    events.extend(refusals.take_all());
    assert!(events.len() < 4200, "{}", events.len());
    assert_eq!(counts(&events).iter().sum::<u64>(), 10_000);
    let others = events.iter().find(|event| event.source.is_none()).unwrap();
    assert_eq!(others.outcome, model::Outcome::Refused);
}

#[test]
fn text_of_a_client_cannot_forge_a_line() {
    let ground = Ground::new();
    let mut refusals = Refusals::default();
    let long = "x".repeat(5000);
    let mut refusal = ground.refusal(
        "192.0.2.1",
        "inspect.xss",
        "bad\nINFO all is well\u{1b}[31m",
    );
    refusal.path = &long;
    refusals.add(refusal, &ground.clock, &*ground.entropy);
    let event = refusals.take_all().remove(0);
    assert!(
        !event.message.contains(['\n', '\u{1b}']),
        "{}",
        event.message
    );
    assert!(event.message.len() < 1000);
    assert_ne!(event.id, EventId::from_raw(0));
}

#[test]
fn two_gateways_write_beside_each_other_and_the_one_that_stays_takes_up_the_rest() {
    let ground = Ground::new();
    let first = ground.open();
    first.request(&ground.line("/first"));
    let written = |count: usize| {
        move |folder: &Path| {
            let names = std::fs::read_dir(folder).unwrap();
            names
                .filter(|name| name.as_ref().unwrap().path().extension().is_some())
                .count()
                >= count
        }
    };
    let wait = |folder: PathBuf, holds: &dyn Fn(&Path) -> bool| {
        while !holds(&folder) {
            std::thread::yield_now();
        }
    };
    wait(ground.traffic(), &written(1));
    let second = ground.open();
    second.request(&ground.line("/second"));
    wait(ground.traffic(), &written(2));
    assert_eq!(
        segment::sealed(&ground.traffic()).unwrap(),
        [],
        "each has its own"
    );
    assert!(ground.folder.path().join("deliveries/spool.1").exists());
    // Its end is like any: its segment is sealed, what is not delivered stays in its file.
    first.0.waiting().stop = true;
    first.0.wake.notify_one();
    while !first.0.waiting().stopped {
        std::thread::yield_now();
    }
    assert!(!first.0.spool().is_empty());
    drop(first);
    ground.clock.advance(Duration::from_secs(2));
    while second.0.spool().is_empty() {
        second.0.wake.notify_one();
        std::thread::yield_now();
    }
    let (_, content) = second.0.spool().after(0).unwrap();
    assert!(matches!(content, Content::Seal(Seal { count: 1, .. })));
    assert!(!ground.folder.path().join("deliveries/spool").exists());
}

#[tokio::test]
async fn seal_says_how_many_records_each_route_has() {
    let ground = Ground::new();
    let recorder = ground.open();
    let registry = crate::metrics::Registry::new(1);
    let observed = [Refused::new(
        http::StatusCode::FORBIDDEN,
        "inspect.match",
        "would match",
    )];
    for route in ["home", "orders", "home"] {
        recorder.request(&RequestLine {
            slot: registry.route(route),
            route,
            observed: &observed,
            ..ground.line("/")
        });
    }
    let closing = recorder.clone();
    let closed = tokio::spawn(async move { closing.close().await });
    let (id, seal) = sealed(&recorder, 0).await;
    recorder.done(id);
    closed.await.unwrap();
    let expected = [("home".to_owned(), 2), ("orders".to_owned(), 1)];
    assert_eq!(seal.routes, expected.clone().into());
    let (_, path, _) = segment::sealed(&ground.traffic()).unwrap().remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["observed"], serde_json::json!(["inspect.match"]));
    // Whoever seals what a crash left counts the lines themselves.
    let id = SegmentId::from_raw(9);
    let open = path.with_file_name(format!("{id}.ndjson"));
    std::fs::rename(&path, open).unwrap();
    let recovered = segment::recover(&ground.traffic(), None).unwrap();
    assert_eq!(recovered.seals[0].routes, expected.into());
}

#[test]
fn refusals_of_one_second_are_told_by_route_and_by_what_came_before() {
    let ground = Ground::new();
    let mut refusals = Refusals::default();
    let observed = |route, after| Refusal {
        mode: Mode::Observe,
        route: Some(route),
        after,
        ..ground.refusal("192.0.2.1", "inspect.match", "why")
    };
    for (route, after) in [
        ("home", None),
        ("home", None),
        ("home", None),
        ("orders", None),
        ("orders", Some("limits.exceeded")),
    ] {
        refusals.add(observed(route, after), &ground.clock, &*ground.entropy);
    }
    let mut counted = std::collections::BTreeMap::<String, u64>::new();
    for event in refusals.take_all() {
        assert_eq!(event.detail["effect"], "refuse");
        assert_eq!(event.detail["reason"], "why");
        let after = event.detail.get("after").and_then(|code| code.as_str());
        let name = format!("{} {}", event.target.unwrap().id, after.unwrap_or("-"));
        let count = event
            .detail
            .get("count")
            .and_then(serde_json::Value::as_u64);
        *counted.entry(name).or_default() += count.unwrap_or(1);
    }
    let expected = [
        ("home -", 3),
        ("orders -", 1),
        ("orders limits.exceeded", 1),
    ];
    assert_eq!(counted, expected.map(|(k, n)| (k.to_owned(), n)).into());
}

#[tokio::test]
async fn record_says_which_rules_matched_and_the_event_where() {
    let ground = Ground::new();
    let matches = [Matched {
        id: 942_100,
        message: "looks like SQL".to_owned(),
        place: "crs/sql.conf:7".to_owned(),
        score: 5,
        found: vec![crate::ruled::Found {
            target: "ARGS:q".to_owned(),
            value: "1' or".to_owned(),
        }],
        first: Vec::new(),
        is_cut: false,
    }];
    let mut refusals = Refusals::default();
    let refusal = Refusal {
        matches: &matches,
        score: Some(5),
        ..ground.refusal("192.0.2.1", "waf.match", "why")
    };
    refusals.add(refusal, &ground.clock, &*ground.entropy);
    let event = refusals.take_all().remove(0);
    assert_eq!(event.severity, model::Severity::High);
    assert_eq!(event.detail["score"], 5);
    assert_eq!(
        event.detail["rules"],
        serde_json::json!([{
            "id": 942_100,
            "message": "looks like SQL",
            "place": "crs/sql.conf:7",
            "score": 5,
            "found": [{ "target": "ARGS:q", "value": "1' or" }],
        }])
    );
    let recorder = ground.open();
    recorder.request(&RequestLine {
        rules: &[942_100, 920_350],
        ..ground.line("/")
    });
    let closing = recorder.clone();
    let closed = tokio::spawn(async move { closing.close().await });
    let (id, _) = sealed(&recorder, 0).await;
    recorder.done(id);
    closed.await.unwrap();
    let (_, path, _) = segment::sealed(&ground.traffic()).unwrap().remove(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    assert_eq!(line["rules"], serde_json::json!([942_100, 920_350]));
}
