//! The script against the limiter of this process, in a real server.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::RedisServer;

use super::*;
use crate::limiter::Limiter;

/// A unit's time: so long that nothing of a test's own time counts, and whole in microseconds.
const UNIT: Duration = Duration::from_secs(20);

fn rate(count: u32) -> Rate {
    Rate {
        count,
        per_ms: u64::from(count) * 20_000,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn script_and_limiter_say_the_same_of_the_same_requests() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = RedisServer::start(folder.path(), &[]).await.unwrap() else {
        crate::limiter::together::tests::skipped();
        return;
    };
    let client = redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let compare = move || {
        let connection = std::cell::RefCell::new(client.get_connection().unwrap());
        let case = std::cell::Cell::new(0);
        let steps = proptest::collection::vec((0..400_u64, 1..12_u32, any::<bool>()), 1..60);
        let rates = proptest::collection::vec(1..10_u32, 1..4);
        let mut runner = TestRunner::new(Config::with_cases(48));
        let ran = runner.run(&(rates, steps), |(counts, steps)| {
            case.set(case.get() + 1);
            agree(&mut connection.borrow_mut(), case.get(), &counts, &steps)
        });
        ran.unwrap();
    };
    tokio::task::spawn_blocking(compare).await.unwrap();
}

/// The script as it is, but for its clock: that is the last two arguments.
fn agree(
    connection: &mut redis::Connection,
    case: u32,
    counts: &[u32],
    steps: &[(u64, u32, bool)],
) -> Result<(), TestCaseError> {
    let clock = "redis.call('TIME')";
    assert_eq!(TEXT.matches(clock).count(), 1);
    let text = TEXT.replace(clock, "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
    let script = Script::new(&format!("case-{case}"), "t.example");
    let limiter = Limiter::new();
    let limits: Vec<(What, Rate)> = (0_u64..)
        .zip(counts)
        .map(|(number, count)| (What::Route(number), rate(*count)))
        .collect();
    // Of this century, as a server's own is.
    let mut now = Duration::from_micros(1_790_000_000_123_457);
    for (step, cost, blocks) in steps {
        now += UNIT * u32::try_from(*step).unwrap() / 100;
        let mode = if *blocks { Mode::Block } else { Mode::Observe };
        let mut question = Question::new(*cost, mode);
        for (number, (_, rate)) in limits.iter().enumerate() {
            let key = script.key(number.to_string().as_bytes(), None);
            question.push(key, *rate);
        }
        let mut command = redis::cmd("EVAL");
        command.arg(&text).arg(question.keys.len());
        for key in &question.keys {
            command.arg(key);
        }
        command.arg(*cost).arg(u8::from(*blocks));
        for (interval, count) in &question.numbers {
            command.arg(*interval).arg(*count);
        }
        command.arg(now.as_secs()).arg(now.subsec_micros());
        let numbers: Vec<i64> = command.query(connection).unwrap();
        let there = question.read(&numbers).unwrap();
        let here = limiter.take_all(&limits.iter().copied(), (*cost, mode), now);
        prop_assert_eq!(there, here);
    }
    Ok(())
}

#[test]
fn keys_are_short_tell_nothing_and_differ_by_estate_limit_and_who() {
    let scripts = [
        Script::new("acme", "shop.example"),
        Script::new("acme", "other.example"),
        Script::new("emca", "shop.example"),
    ];
    let client = crate::limiter::Client::of("192.0.2.1".parse().unwrap());
    let whats = [
        What::RouteAddress(1, client),
        What::Route(1),
        What::RouteNamed(1, [7; 16]),
        What::RouteNamed(1, [8; 16]),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for script in &scripts {
        for limit in [b"route\0a".as_slice(), b"limit\0a"] {
            for what in &whats {
                let key = script.key(limit, Some(what));
                assert!(key.starts_with("rampart:limit:1:{"), "{key}");
                assert!(key.len() < 128 && !key.contains("192.0.2.1"), "{key}");
                assert!(seen.insert(key.clone()), "{key}");
            }
        }
    }
    // Numbers of this process are none of other gateways.
    let same = scripts[0].key(b"route\0a", Some(&What::RouteAddress(2, client)));
    assert!(seen.contains(&same));
}

#[test]
fn answer_that_is_not_the_scripts_is_none() {
    let script = Script::new("acme", "shop.example");
    let mut question = Question::new(1, Mode::Block);
    question.push(script.key(b"a", None), rate(5));
    let one = question.read(&[1, 4, 20_000_000, 0]).unwrap();
    assert_eq!(
        (one[0].allowed, one[0].remaining, one[0].reset),
        (true, 4, UNIT)
    );
    for wrong in [
        &[][..],
        &[1, 4, 20_000_000],
        &[1, -4, 20_000_000, 0],
        &[1, 4, -1, 0],
        &[1, 4, 0, 0, 1, 4, 0, 0],
    ] {
        assert!(question.read(wrong).is_none(), "{wrong:?}");
    }
}
