use model::Clock as _;
use testkit::FakeClock;

use super::*;

fn member() -> Arc<Member> {
    Member::new(Endpoint::Tcp("127.0.0.1:80".parse().unwrap()), 2)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn ejection_doubles_up_to_its_cap_and_begins_anew_after_a_long_quiet() {
    let member = member();
    let (base, max) = (secs(10), secs(60));
    let mut now = 1;
    for expected in [10, 20, 40, 60, 60] {
        assert_eq!(member.eject(now, base, max), secs(expected));
        now += expected * 1000;
        assert!(!member.is_ejected(now) && member.is_ejected(now - 1));
    }
    // An answer in between does not make it a new address.
    let clock = FakeClock::new();
    assert!(member.answered(&Now::of(&clock)));
    assert_eq!(member.eject(now + 30_000, base, max), secs(60));
    assert_eq!(member.eject(now + 30_000 + 121_000, base, max), secs(10));
}

#[test]
fn one_request_alone_sees_whether_an_ejected_address_works_again() {
    let (member, clock) = (member(), FakeClock::new());
    let standing = || member.standing(&Now::of(&clock), None);
    assert_eq!(standing(), Standing::Well);
    member.eject(1, secs(10), secs(60));
    assert_eq!(standing(), Standing::Out);
    clock.advance(secs(10));
    assert_eq!(standing(), Standing::Trial);
    let now = super::super::ticks::ticks(&clock);
    assert!(member.claim_trial(now, 5000));
    assert!(!member.claim_trial(now, 5000), "it is taken");
    assert_eq!(standing(), Standing::Out);
    assert!(member.may_be_ejected(now), "a trial that fails is news");
    // Nobody heard of it again: the next may try.
    clock.advance(secs(5));
    assert_eq!(standing(), Standing::Trial);
    assert!(member.answered(&Now::of(&clock)));
    assert_eq!(standing(), Standing::Well);
    assert!(!member.answered(&Now::of(&clock)), "said once");
}

#[test]
fn share_of_an_address_that_came_grows_to_the_whole() {
    let (member, clock) = (member(), FakeClock::new());
    member.rise_from(super::super::ticks::ticks(&clock));
    let standing = || member.standing(&Now::of(&clock), Some(secs(10)));
    assert_eq!(member.standing(&Now::of(&clock), None), Standing::Well);
    assert_eq!(standing(), Standing::Rising(WHOLE / 50), "never nothing");
    clock.advance(secs(5));
    assert_eq!(standing(), Standing::Rising(WHOLE / 2));
    clock.advance(secs(5));
    assert_eq!(standing(), Standing::Well);
    assert!(clock.monotonic() >= secs(10));
}

#[test]
fn probes_change_how_it_stands_only_so_many_in_a_row() {
    let member = member();
    let probes = |words: &[bool]| -> Vec<Option<bool>> {
        words
            .iter()
            .map(|is_well| member.probed(*is_well, (2, 3), 1))
            .collect()
    };
    assert_eq!(probes(&[false]), [Some(false)], "nobody had seen it well");
    assert_eq!(
        probes(&[true, false, true, true]),
        [None, None, None, Some(true)]
    );
    assert_eq!(probes(&[false, false, true]), [None; 3]);
    assert_eq!(probes(&[false, false, false]), [None, None, Some(false)]);
    assert_eq!(probes(&[false, false]), [None; 2]);
}
