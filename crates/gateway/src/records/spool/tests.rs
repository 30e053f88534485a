use model::{Context, Event};
use proptest::prelude::*;
use testkit::{FakeClock, SeededEntropy};

use super::*;

fn event(entropy: &SeededEntropy) -> Event {
    let clock = FakeClock::new();
    let ctx = Context::system(&clock, entropy);
    Event::change("gateway.test", &ctx, &clock, entropy)
}

fn events(count: usize) -> Content {
    let entropy = SeededEntropy::new(5);
    Content::Events((0..count).map(|_| event(&entropy)).collect())
}

#[test]
fn what_is_not_acknowledged_is_there_after_a_crash_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path()).unwrap();
    (1..=4).for_each(|count| spool.push(events(count)));
    spool.done(1);
    spool.done(3);
    drop(spool);
    let spool = Spool::open(folder.path()).unwrap();
    assert_eq!(spool.after(0), Some((2, events(2))));
    assert_eq!(spool.after(2), Some((4, events(4))));
    assert_eq!(spool.after(4), None);
}

#[test]
fn ids_go_on_after_everything_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path()).unwrap();
    for round in 1..=40 {
        spool.push(events(20));
        let (id, _) = spool.after(0).unwrap();
        assert_eq!(id, round);
        spool.done(id);
    }
    assert!(spool.length < WORTH_CLEARING, "the file began anew");
    drop(spool);
    let mut spool = Spool::open(folder.path()).unwrap();
    assert!(spool.is_empty());
    spool.push(events(1));
    assert_eq!(spool.after(0).unwrap().0, 41);
}

#[test]
fn torn_end_is_cut_off_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(folder.path()).unwrap();
    spool.push(events(1));
    let whole = spool.length;
    spool.push(events(2));
    let end = spool.length;
    drop(spool);
    let path = folder.path().join("spool");
    let bytes = std::fs::read(&path).unwrap();
    for cut in whole..end {
        let file = File::create(&path).unwrap();
        (&file)
            .write_all(&bytes[..usize::try_from(cut).unwrap()])
            .unwrap();
        let mut spool = Spool::open(folder.path()).unwrap();
        assert_eq!(spool.after(0), Some((1, events(1))), "{cut}");
        assert_eq!(spool.after(1), None, "{cut}");
        spool.push(events(3));
        assert_eq!(spool.after(1), Some((2, events(3))), "{cut}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (_, _, good) = read(&bytes);
        prop_assert!(good <= u64::try_from(bytes.len()).unwrap());
        let (_, _, good) = read(&[MAGIC.as_slice(), &bytes].concat());
        prop_assert!(good >= 8);
    }
}
