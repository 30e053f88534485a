//! Who may depend on whom, from one table; and where HTTP, HTML, the command line and SQL may
//! stand.

use toml_edit::{DocumentMut, TableLike};

use super::{File, Finding, Tree};

/// The table: a crate depends only on crates of lines above its own.
pub(super) const LAYERS: &[(&str, &[&str])] = &[
    ("vocabulary", &["model"]),
    ("the estate", &["estate"]),
    ("engines", ENGINES),
    ("the rules", &["wafrules"]),
    ("the rules in force", &["waf"]),
    ("the first draft", &["adopt"]),
    ("platform", &["store", "net"]),
    ("the record", &["trail"]),
    ("the estate's versions", &["rollout"]),
    ("strategies", STRATEGIES),
    ("assurance", &["assurance"]),
    ("the API", &["api"]),
    ("surfaces", &["console", "agent", "cli"]),
    ("the program", &["rampart"]),
    ("development", &["xtask"]),
];

/// Pure: no runtime, no files, no clock, no randomness.
const ENGINES: &[&str] = &[
    "seclang",
    "advisories",
    "reach",
    "keyring",
    "merkle",
    "openapi",
];

/// Crates that ask nothing of the machine: values in, values out.
fn is_pure(name: &str) -> bool {
    ENGINES.contains(&name) || matches!(name, "model" | "estate" | "wafrules" | "waf" | "adopt")
}

/// Siblings that never meet but in events, in `model`'s types and in the program.
pub(super) const STRATEGIES: &[&str] = &[
    "identity", "keys", "patch", "gateway", "monitor", "network", "backup", "training",
];

/// Dependencies that only some crates may have.
const ONLY: &[(&str, &[&str])] = &[
    ("axum", &["api", "console", "rampart"]),
    ("askama", &["console"]),
    ("clap", &["cli", "xtask"]),
    ("miette", &["cli"]),
    ("anyhow", &["cli", "rampart", "xtask"]),
    ("sqlx", &["store", "rampart"]),
    ("http", HTTP),
    ("http-body", HTTP),
    ("http-body-util", HTTP),
    ("hyper", HTTP),
    ("hyper-util", HTTP),
    ("httparse", &["gateway"]),
    ("h2", &["gateway", "rampart"]),
];

const HTTP: &[&str] = &["net", "gateway", "api", "console", "cli", "rampart"];

/// Words that betray a runtime, a file, a clock or randomness.
const IMPURE: &[&str] = &[
    "tokio::",
    "std::fs",
    "std::process",
    "std::thread",
    "std::env::var",
    "SystemTime",
    "Instant::now",
    "getrandom",
];

/// The two places that ask the machine.
const MACHINE: &[&str] = &["crates/model/src/time.rs", "crates/model/src/entropy.rs"];

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.select(|file| file.name() == "Cargo.toml" && file.of_crate().is_some()) {
        match file.text.parse::<DocumentMut>() {
            Ok(manifest) => dependencies(file, manifest.as_table(), findings),
            Err(error) => findings.push(Finding::file(&file.path, format!("no TOML: {error}"))),
        }
    }
    let source = |file: &File| file.is_rust() && !file.is_test() && file.of_crate().is_some();
    for file in tree.select(source) {
        purity(file, findings);
        sql(file, findings);
    }
}

fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, crates)| crates.contains(&name))
}

fn dependencies(file: &File, manifest: &dyn TableLike, findings: &mut Vec<Finding>) {
    let Some(name) = file.of_crate() else {
        return;
    };
    let named = |table: &str| -> Vec<String> {
        let table = manifest.get(table).and_then(|item| item.as_table_like());
        table.map_or_else(Vec::new, |t| {
            t.iter().map(|(key, _)| key.to_owned()).collect()
        })
    };
    let mut refuse = |what: String| findings.push(Finding::file(&file.path, what));
    if name != "testkit" && rank(name).is_none() {
        refuse(format!(
            "`{name}` is in no layer: say where it belongs in xtask/src/tidy/layers.rs"
        ));
        return;
    }
    for needed in named("dependencies") {
        if let Some(what) = refused(name, &needed) {
            refuse(what);
        }
    }
    for needed in named("dev-dependencies")
        .iter()
        .filter(|needed| *needed != "testkit")
    {
        // Tests may use HTTP and the like; the order of our own crates holds for them too.
        if rank(needed).is_some()
            && let Some(what) = refused(name, needed)
        {
            refuse(what);
        }
    }
}

/// Why `name` may not depend on `needed`.
fn refused(name: &str, needed: &str) -> Option<String> {
    if needed == "testkit" {
        return Some("`testkit` is for tests: a dev-dependency".to_owned());
    }
    if let Some((_, allowed)) = ONLY.iter().find(|(only, _)| *only == needed) {
        let development = matches!(name, "testkit" | "xtask");
        return (!allowed.contains(&name) && !development)
            .then(|| format!("`{needed}` is only for {}", allowed.join(", ")));
    }
    if needed == "tokio" && is_pure(name) {
        return Some(format!("`{name}` is pure: no tokio"));
    }
    let below = rank(needed)?;
    match rank(name) {
        Some(own) if own > below => None,
        _ if name == "testkit" && needed == "model" => None,
        _ => Some(format!(
            "`{name}` may not depend on `{needed}`: arrows point up the table only"
        )),
    }
}

fn purity(file: &File, findings: &mut Vec<Finding>) {
    let Some(name) = file.of_crate() else {
        return;
    };
    if !is_pure(name) || MACHINE.contains(&file.path.as_str()) {
        return;
    }
    for (at, line) in code(file) {
        if let Some(word) = IMPURE.iter().find(|word| line.contains(*word)) {
            findings.push(Finding::line(
                &file.path,
                at,
                format!("`{name}` is pure: no `{word}`"),
            ));
        }
    }
}

/// Statements begin a text; prose that only mentions one does not.
const STATEMENTS: &[&str] = &[
    "\"select ",
    "\"insert into ",
    "\"delete from ",
    "\"create table ",
    "\"create index ",
    "\"update ",
    "\"alter table ",
    "\"drop table ",
];

fn sql(file: &File, findings: &mut Vec<Finding>) {
    let may = file.of_crate() == Some("store")
        || file.path.split('/').any(|part| matches!(part, "store" | "store.rs" | "migrations"))
        // The rules against injection are made of what they look for.
        || file.path.starts_with("crates/gateway/src/inspect")
        || file.of_crate() == Some("xtask");
    if may {
        return;
    }
    for (at, line) in code(file) {
        let lower = line.to_lowercase();
        // `"update ` begins honest sentences too.
        let meant = |word: &str| word != "\"update " || lower.contains(" set ");
        if STATEMENTS
            .iter()
            .any(|word| meant(word) && lower.contains(word))
        {
            findings.push(Finding::line(
                &file.path,
                at,
                "SQL stands in `store` and in store.rs only",
            ));
        }
    }
}

/// Numbered lines that are no comments.
fn code(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines = file.text.lines().enumerate();
    lines
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}
