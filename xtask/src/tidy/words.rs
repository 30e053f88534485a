//! Words that must not stand in the source: promises for later, and places outside the project.

use super::{File, Finding, Tree};

/// Written in two halves, so that this file does not find itself.
const LATER: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// Registries are reached by their own clients; the source names none of their hosts.
const HOSTS: &[&str] = &[
    concat!("crates", ".io/"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("pypi", ".org"),
    concat!("deb.debian", ".org"),
    concat!("registry.npm", "js.org"),
];

/// Folders of the machine something was written on.
const PLACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("../sha", "red/design"),
];

/// Only tests and chores may read the data beside the project, and only through a variable.
const DATA: &str = concat!("../sha", "red/data");

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.select(|file| file.name() != "Cargo.lock" && file.name() != "LICENSE") {
        for (at, line) in file.text.lines().enumerate() {
            if let Some(what) = found(file, line) {
                findings.push(Finding::line(&file.path, at + 1, what));
            }
        }
    }
}

fn found(file: &File, line: &str) -> Option<String> {
    let word = |words: &[&'static str]| words.iter().copied().find(|word| line.contains(word));
    if let Some(word) = LATER.iter().find(|word| stands_alone(line, word)) {
        return Some(format!("`{word}`: do it, or write down why not"));
    }
    if let Some(word) = word(HOSTS) {
        return Some(format!("`{word}`: the host of a registry"));
    }
    // What an attacker asks for may look like a path of this machine.
    if let Some(word) = word(PLACES).filter(|_| !file.is_test()) {
        return Some(format!("`{word}`: a folder outside the project"));
    }
    let may = file.is_test() || file.of_crate() == Some("xtask");
    let data = line.contains(DATA) && !(may && file.text.contains("RAMPART_"));
    data.then(|| format!("`{DATA}`: only tests and xtask, as the default of a RAMPART_ variable"))
}

/// Whether `word` occurs and does not go on: a constant may count what is left to do.
fn stands_alone(line: &str, word: &str) -> bool {
    line.split(word).skip(1).any(|rest| {
        let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
        word.ends_with(['(', ':']) || !rest.starts_with(goes_on)
    })
}
