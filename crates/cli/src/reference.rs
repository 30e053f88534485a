//! The page `docs/reference/cli.md`, written from the tree of commands itself.

use clap::Command;

/// The page `docs/reference/cli.md`.
#[must_use]
pub fn reference_markdown() -> String {
    let mut tree = crate::command();
    tree.build();
    let mut page = String::from(
        "# The command line\n\n\
         `rampart <noun> <verb>`. Data goes to standard output, everything else to standard error. \
         With `--format json` a command prints one document whose `schema` names its shape, such \
         as `rampart.check.v1`; with `--format jsonl` one such document for each item on a line of \
         its own. A failed command prints `rampart.error.v1` to standard error.\n\n\
         Every command ends with 0 (done), 1 (the answer is no: findings, denied), 2 (wrong usage \
         or configuration), 3 (the operation failed) or 4 (partly done).\n\n\
         This page is generated from the program's own tree of commands.\n",
    );
    options(&mut page, "Options of every command", &tree, Which::Global);
    leaves(&mut page, &mut tree, "rampart");
    page
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Global,
    Own,
}

fn leaves(page: &mut String, command: &mut Command, words: &str) {
    let mut is_leaf = true;
    for sub in command.get_subcommands_mut() {
        if sub.get_name() == "help" {
            continue;
        }
        is_leaf = false;
        let words = format!("{words} {}", sub.get_name());
        leaves(page, sub, &words);
    }
    if is_leaf {
        leaf(page, command, words);
    }
}

fn leaf(page: &mut String, command: &mut Command, words: &str) {
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    line(
        page,
        &format!("\n## `{words}`\n\n{about}.\n\n```text\n{usage}\n```"),
    );
    options(page, "", command, Which::Own);
    let after = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some((_, examples)) = after.split_once("EXAMPLES\n") {
        line(page, "\n```sh");
        for example in examples.lines() {
            line(page, example.strip_prefix("  ").unwrap_or(example));
        }
        line(page, "```");
    }
}

fn options(page: &mut String, title: &str, command: &Command, which: Which) {
    let own: Vec<_> = command
        .get_arguments()
        .filter(|arg| (arg.is_global_set()) == (which == Which::Global))
        .filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version"))
        .collect();
    if own.is_empty() {
        return;
    }
    if !title.is_empty() {
        line(page, &format!("\n## {title}"));
    }
    line(page, "\n| option | |\n| --- | --- |");
    for arg in own {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults = arg.get_default_values();
        let default = match defaults.first() {
            Some(first) if arg.get_action().takes_values() => {
                format!(" Default: `{}`.", first.to_string_lossy())
            }
            _ => String::new(),
        };
        let end = if help.ends_with('.') { "" } else { "." };
        let shown = arg.to_string().replace('|', "\\|");
        line(page, &format!("| `{shown}` | {help}{end}{default} |"));
    }
}

fn line(page: &mut String, text: &str) {
    page.push_str(text);
    page.push('\n');
}
