//! The command line's reference, from the tree of commands itself.

use std::collections::BTreeSet;

use clap::{Arg, Command};

/// The page `docs/reference/cli.md`.
pub(crate) fn markdown() -> String {
    let mut root = cli::command();
    root.build();
    let global: BTreeSet<String> = root
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .map(|argument| argument.get_id().to_string())
        .collect();
    let mut page = String::from(
        "# Command line\n\nGenerated from the program by `cargo xtask gen`.\n\n\
         Every command accepts these, and none repeats them below.\n\n",
    );
    let shared = root
        .get_arguments()
        .filter(|a| global.contains(a.get_id().as_str()));
    page.push_str(&table(shared));
    page.push_str(
        "\nExit codes: 0 done; 1 the answer is no; 2 wrong usage or configuration; 3 the \
         operation failed; 4 partly done.\n",
    );
    for command in root.get_subcommands() {
        describe(command, "rampart", &global, &mut page);
    }
    page
}

fn describe(command: &Command, parent: &str, global: &BTreeSet<String>, page: &mut String) {
    if command.get_name() == "help" || command.is_hide_set() {
        return;
    }
    let name = format!("{parent} {}", command.get_name());
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    page.push_str(&format!("\n## `{name}`\n\n{}\n", sentence(&about)));
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|a| !global.contains(a.get_id().as_str()) && !a.is_hide_set())
        .filter(|a| !matches!(a.get_id().as_str(), "help" | "version"))
        .collect();
    if !own.is_empty() {
        page.push('\n');
        page.push_str(&table(own.into_iter()));
    }
    let after = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some((_, examples)) = after.split_once("EXAMPLES\n") {
        let lines: Vec<&str> = examples.lines().map(str::trim).collect();
        page.push_str(&format!("\n```sh\n{}\n```\n", lines.join("\n").trim()));
    }
    for below in command.get_subcommands() {
        describe(below, &name, global, page);
    }
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut rows = String::from("| argument | meaning |\n| --- | --- |\n");
    for argument in arguments {
        let help = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        let help = sentence(&help).replace('|', "\\|").replace('\n', " ");
        rows.push_str(&format!(
            "| `{}` | {help} |\n",
            written(argument).replace('|', "\\|")
        ));
    }
    rows
}

/// `--format <human|json>`, `<PERSON>`, `[ROLE]`.
fn written(argument: &Arg) -> String {
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let names = || {
        let names = argument.get_value_names().unwrap_or_default();
        names
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let value = if values.is_empty() {
        names()
    } else {
        values.join("|")
    };
    match argument.get_long() {
        Some(long) if argument.get_action().takes_values() => format!("--{long} <{value}>"),
        Some(long) => format!("--{long}"),
        None if argument.is_required_set() => format!("<{value}>"),
        None => format!("[{value}]"),
    }
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.ends_with(['.', ']', ':']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_its_section() {
        let page = markdown();
        for name in [
            "rampart serve",
            "rampart trail verify",
            "rampart api-keys create",
        ] {
            assert!(page.contains(&format!("## `{name}`\n")), "{name}");
        }
        assert!(!page.contains("rampart help"));
        assert!(page.contains("`--allow <PERMISSION>`"), "{page}");
    }
}
