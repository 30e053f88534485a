//! What the pack finds in texts that are no attacks.

use std::path::Path;

use seclang::Ruleset;

use crate::load;
use crate::sent::send;
use crate::texts::{files_under, forms, pieces};

fn count(name: &str, texts: &[(String, String)], levels: &[Ruleset]) {
    let mut sent = 0;
    let mut refused = vec![0; levels.len()];
    let mut matched = vec![0; levels.len()];
    for (file, text) in texts {
        for one in forms(text) {
            sent += 1;
            for (at, rules) in levels.iter().enumerate() {
                let seen = send(rules, &one);
                refused[at] += usize::from(seen.refused);
                matched[at] += usize::from(!seen.rules.is_empty());
                if at == 0 && !seen.rules.is_empty() {
                    for (id, value) in seen.rules.iter().filter(|(id, _)| *id < 25_990_000) {
                        println!(
                            "   {file}: {id} {}",
                            value
                                .replace('\n', "⏎")
                                .chars()
                                .take(240)
                                .collect::<String>()
                        );
                    }
                }
            }
        }
    }
    println!("| {name} | {sent} | {matched:?} | {refused:?} |");
}

fn texts_of(folder: &Path, ends: &[&str], keep: impl Fn(&Path) -> bool) -> Vec<(String, String)> {
    let mut files = Vec::new();
    files_under(folder, ends, &mut files);
    let mut out = Vec::new();
    for file in files.iter().filter(|file| keep(file)) {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        for piece in pieces(&text) {
            out.push((file.to_string_lossy().into_owned(), piece.to_owned()));
        }
    }
    out
}

/// Texts of this tree and of others, at two levels.
pub(crate) fn count_all(data: &Path) {
    let levels: Vec<Ruleset> = (1..=2).map(|level| load(level, "")).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().unwrap();
    // What is made of attacks is none of it: rules against them, and their tests.
    let attacks = [
        "wafrules",
        "/inspect/",
        "/attacks",
        "campaigns",
        "smuggling",
        "/sanitize",
        "/tests",
        "/waf/",
        "/regression/",
    ];
    let own = |path: &Path| {
        let path = path.to_string_lossy();
        !attacks.iter().any(|word| path.contains(word))
    };
    count(
        "markdown of this tree",
        &texts_of(&root, &[".md"], own),
        &levels,
    );
    // One text of 64 kB, and what people put on it.
    let prose: String = texts_of(&root.join("docs"), &[".md"], own)
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let whole: Vec<(String, String)> = pieces(&prose)
        .into_iter()
        .map(|text| ("docs".to_owned(), text.to_owned()))
        .collect();
    count("64 kB of prose", &whole, &levels);
    count(
        "Rust of this tree",
        &texts_of(&root.join("crates"), &[".rs"], own),
        &levels,
    );
    count(
        "TOML, Python, shell of this tree",
        &texts_of(
            &root,
            &[".toml", ".py", ".ci/run", ".mjs", ".php", ".json"],
            own,
        ),
        &levels,
    );
    count_others(data, &levels);
}

fn count_others(data: &Path, levels: &[Ruleset]) {
    count(
        "RustSec",
        &texts_of(&data.join("advisories/rustsec"), &[".md"], |_| true),
        levels,
    );
    count(
        "PyPA, every tenth",
        &texts_of(&data.join("advisories/pypa/vulns"), &[".yaml"], |_| true)
            .into_iter()
            .step_by(10)
            .collect::<Vec<_>>(),
        levels,
    );
    count(
        "versions",
        &texts_of(&data.join("versions"), &[".txt"], |_| true),
        levels,
    );
    count(
        "wycheproof",
        &texts_of(&data.join("wycheproof"), &[".json"], |_| true),
        levels,
    );
}
