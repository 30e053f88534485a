use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

#[test]
fn times_are_read_as_people_write_them() {
    assert_eq!(moment("2h", NOW), Ok(NOW.before(Duration::from_secs(7200))));
    assert_eq!(
        moment("2025-12-31", NOW),
        Ok(NOW.before(Duration::from_secs(86_400)))
    );
    assert_eq!(moment("2026-01-01T00:00:00Z", NOW), Ok(NOW));
    assert!(moment("yesterday", NOW).is_err());
}

#[test]
fn a_filter_can_be_taken_away_without_the_others() {
    let search = Search {
        text: "a b".to_owned(),
        outcome: "refused".to_owned(),
        before: Some(7),
        ..Search::default()
    };
    let filters = search.filters();
    assert_eq!(filters.len(), 2);
    assert_eq!(filters[0].label, "text: a b");
    assert_eq!(filters[0].without, "/trail?outcome=refused");
    assert_eq!(
        search.older(7),
        "/trail?text=a%20b&outcome=refused&before=7"
    );
    assert_eq!(search.newest(), "/trail?text=a%20b&outcome=refused");
}

#[test]
fn fields_that_cannot_be_read_are_named() {
    for (search, says) in [
        (
            Search {
                source: "here".to_owned(),
                ..Search::default()
            },
            "here",
        ),
        (
            Search {
                outcome: "maybe".to_owned(),
                ..Search::default()
            },
            "maybe",
        ),
        (
            Search {
                severity: "loud".to_owned(),
                ..Search::default()
            },
            "loud",
        ),
    ] {
        assert!(search.query(NOW).unwrap_err().contains(says));
    }
}
