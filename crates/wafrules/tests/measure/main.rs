//! What the pack finds, what it finds wrongly, and what it costs. `measure tables` says which of
//! its tests fail, `measure attacks DATA` and `measure benign DATA` count on the data beside the
//! project and on this tree, `measure time` times. Rules are read from their folder as they stand.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::exit,
    reason = "an example that measures and prints"
)]

mod attacks;
mod benign;
mod sent;
mod tables;
mod texts;
mod time;

use std::path::{Path, PathBuf};

use seclang::{Leniency, Loader, NoFiles, Ruleset};
use wafrules::Setting;

/// The folder of the pack, whose rules are read as they stand.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")
}

pub(crate) fn load(paranoia: u8, before: &str) -> Ruleset {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    let setting = Setting {
        paranoia,
        ..Setting::default()
    };
    loader.text("setting", setting.text().as_bytes());
    for (name, _) in wafrules::files() {
        let text = std::fs::read(folder().join(name)).unwrap();
        loader.text(name, &text);
    }
    loader.text("mode", before.as_bytes());
    match loader.finish() {
        Ok(loaded) => {
            for finding in loaded.findings {
                println!("{finding}");
            }
            loaded.rules
        }
        Err(seclang::Error::Rules { findings }) => {
            for finding in findings {
                println!("{finding}");
            }
            std::process::exit(1)
        }
        Err(error) => panic!("{error}"),
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let data = words.get(1).map(PathBuf::from);
    match words.first().map(String::as_str) {
        Some("tables") => tables::check(words.get(1).map(String::as_str)),
        Some("attacks") => attacks::count(
            &data.expect("the folder of data"),
            words.get(2).map(String::as_str),
        ),
        Some("benign") => benign::count_all(&data.expect("the folder of data")),
        Some("time") => time::measure(),
        _ => println!("usage: measure tables [NAME] | attacks DATA [SHOW] | benign DATA | time"),
    }
}
