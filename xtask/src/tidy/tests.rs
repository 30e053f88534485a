//! The project as it stands, and one small tree per rule that breaks it.

use super::*;

#[test]
fn the_project_is_tidy() {
    let report = check(&crate::chores::root()).unwrap();
    let lines: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "\n{}", lines.join("\n"));
}

/// The findings about a tree of just these files.
fn findings(files: &[(&str, &str)]) -> Vec<String> {
    let tree = Tree {
        files: files
            .iter()
            .map(|(path, text)| File {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect(),
        paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
    };
    let mut report = Report::default();
    shape::check(&tree, &mut report);
    layers::check(&tree, &mut report.findings);
    words::check(&tree, &mut report.findings);
    templates::check(&tree, &mut report.findings);
    links::check(&tree, &mut report.findings);
    report.findings.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn one(files: &[(&str, &str)], contains: &str) {
    let found = findings(files);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(contains), "{found:?}");
}

#[test]
fn a_strategy_may_not_depend_on_another() {
    one(
        &[
            (
                "crates/gateway/Cargo.toml",
                "[dependencies]\nidentity.workspace = true\n",
            ),
            ("crates/gateway/README.md", "x\n"),
        ],
        "`gateway` may not depend on `identity`",
    );
}

#[test]
fn an_engine_may_not_read_files() {
    one(
        &[("crates/merkle/src/lib.rs", "//! Trees.\nuse std::fs;\n")],
        "no `std::fs`",
    );
    one(
        &[(
            "crates/merkle/Cargo.toml",
            "[dependencies]\ntokio.workspace = true\n",
        )],
        "no tokio",
    );
}

#[test]
fn a_new_crate_needs_its_place_in_the_table() {
    one(
        &[("crates/surprise/Cargo.toml", "[dependencies]\n")],
        "is in no layer",
    );
}

#[test]
fn http_is_for_surfaces() {
    one(
        &[(
            "crates/trail/Cargo.toml",
            "[dependencies]\naxum.workspace = true\n",
        )],
        "`axum` is only for",
    );
}

#[test]
fn test_tools_stay_in_tests() {
    one(
        &[(
            "crates/trail/Cargo.toml",
            "[dependencies]\ntestkit.workspace = true\n",
        )],
        "a dev-dependency",
    );
    assert_eq!(
        findings(&[(
            "crates/trail/Cargo.toml",
            "[dev-dependencies]\ntestkit.workspace = true\n"
        )]),
        Vec::<String>::new()
    );
}

#[test]
fn sql_stands_in_store_files() {
    let text = "//! X.\nconst S: &str = \"SELECT a FROM b\";\n";
    one(&[("crates/trail/src/search.rs", text)], "SQL stands");
    assert_eq!(
        findings(&[("crates/trail/src/store.rs", text)]),
        Vec::<String>::new()
    );
}

#[test]
fn a_module_says_what_it_is_for() {
    one(
        &[("crates/trail/src/leaf.rs", "use x;\n")],
        "opens with `//!`",
    );
}

#[test]
fn long_files_are_refused() {
    let text = format!("//! X.\n{}", "fn f() {}\n".repeat(800));
    one(&[("crates/trail/src/leaf.rs", &text)], "800 are the most");
}

#[test]
fn promises_for_later_are_refused() {
    let text = format!("//! X.\n// {}: later\n", concat!("TO", "DO"));
    one(&[("crates/trail/src/leaf.rs", &text)], "do it");
}

#[test]
fn places_outside_the_project_are_refused() {
    let text = format!("//! X.\nconst P: &str = \"{}x\";\n", concat!("/wo", "rk/"));
    one(
        &[("crates/trail/src/leaf.rs", &text)],
        "outside the project",
    );
}

#[test]
fn white_space_at_the_end_is_refused() {
    one(&[("README.md", "words \n")], "white space");
    one(&[("README.md", "words\n\n")], "exactly one line feed");
}

#[test]
fn a_link_to_nothing_is_refused() {
    one(&[("README.md", "[x](docs/none.md)\n")], "leads to no file");
}

#[test]
fn a_strategy_without_a_readme_is_refused() {
    one(
        &[("crates/gateway/src/lib.rs", "//! Gateway.\n")],
        "every strategy says",
    );
}

#[test]
fn copied_files_are_refused() {
    one(
        &[("crates/console/assets/lib.min.js", "x\n")],
        "third-party",
    );
}
