//! A folder that an earlier release wrote opens, is found in and verifies, for ever.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use testkit::SeededEntropy;

use super::{Fixture, trusted};
use crate::verify::verify;
use crate::*;

fn first_version() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/formats/v1")
}

#[tokio::test]
async fn the_first_version_verifies_opens_and_goes_on() {
    let mut fixture = Fixture::new();
    // Other ids than those of the fixture's events: an event is recorded once.
    fixture.entropy = Arc::new(SeededEntropy::new(99));
    for entry in std::fs::read_dir(first_version()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), fixture.dir().join(entry.file_name())).unwrap();
    }
    let report = verify(&fixture.dir(), &trusted()).unwrap();
    assert!(report.is_intact(), "{:?}", report.faults);
    assert_eq!(
        (report.entries, report.signed, report.root.as_str()),
        (
            3,
            3,
            "a8f0d7519768b1cbeab920d8ac4075ae8b052bda126e966d77de90f049ef619e"
        )
    );
    fixture.filled(1).await;
    let trail = fixture.open().await.unwrap();
    let page = trail.search(&Query::default()).await.unwrap();
    let messages: Vec<_> = page
        .records
        .iter()
        .map(|record| record.event.message.as_str())
        .collect();
    assert_eq!(messages, ["event 0", "event 2", "event 1", "event 0"]);
    trail.close().await;
    assert!(verify(&fixture.dir(), &trusted()).unwrap().is_intact());
}
