//! The demo's scripted day, as a newcomer plays it.

use std::path::Path;
use std::process::{Command, Output};

use crate::world::program;

fn rampart(arguments: &[&str], data: &Path) -> Output {
    Command::new(program())
        .args(arguments)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap()
}

#[test]
fn every_outcome_of_the_scripted_day_is_as_it_must_be_and_the_kept_trail_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let played = rampart(&["demo", "--check", "--listen", "127.0.0.1:0"], &data);
    let text = String::from_utf8_lossy(&played.stdout);
    assert!(played.status.success(), "{text}");
    assert!(text.contains("0 not"), "{text}");
    let verified = rampart(&["trail", "verify"], &data);
    let text = String::from_utf8_lossy(&verified.stdout);
    assert!(verified.status.success(), "{text}");
    assert!(text.starts_with("consistent: "), "{text}");
}
