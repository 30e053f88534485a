use serde_json::json;

use crate::testing::{Gone, Place, Sink};
use crate::{Cli, Command, Exit, command};

fn exit_of(arguments: &[&str]) -> Result<(), clap::error::ErrorKind> {
    let all = std::iter::once("rampart").chain(arguments.iter().copied());
    command()
        .try_get_matches_from(all)
        .map(drop)
        .map_err(|error| error.kind())
}

/// Every command that does something, with its words.
fn leaves(command: &clap::Command, words: &str, each: &mut impl FnMut(&str, &clap::Command)) {
    let mut subcommands = command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
        .peekable();
    if subcommands.peek().is_none() {
        each(words, command);
    }
    for sub in subcommands {
        leaves(sub, format!("{words} {}", sub.get_name()).trim(), each);
    }
}

#[test]
fn tree_of_commands_is_well_formed() {
    command().debug_assert();
}

#[test]
fn every_help_ends_with_exit_codes_and_examples() {
    let mut seen = 0;
    leaves(&command(), "", &mut |words, leaf| {
        let end = leaf
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(end.starts_with("EXIT CODES\n"), "{words}");
        let examples = end
            .split("EXAMPLES\n")
            .nth(1)
            .unwrap_or_else(|| panic!("{words}"));
        assert!(examples.trim_start().starts_with("rampart "), "{words}");
        seen += 1;
    });
    assert!(seen >= 30, "{seen}");
}

#[test]
fn every_example_in_a_help_is_a_command_line() {
    leaves(&command(), "", &mut |words, leaf| {
        let end = leaf.get_after_help().unwrap().to_string();
        let examples = end.split("EXAMPLES\n").nth(1).unwrap().replace("\\\n", " ");
        for line in examples.lines() {
            for part in line.split(" && ") {
                let part = part.split([';', '|', '>']).next().unwrap().trim();
                let arguments = shell_words(part);
                if arguments.first().map(String::as_str) != Some("rampart") {
                    continue;
                }
                if let Err(error) = command().try_get_matches_from(&arguments) {
                    panic!("`{part}` of {words}: {error}");
                }
            }
        }
    });
}

/// Splits at blanks outside single and double quotes.
fn shell_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn help_reads_as_written() {
    let mut all = command().render_long_help().to_string();
    for words in ["apply", "serve", "demo", "gateway explain", "trail verify"] {
        let mut tree = command();
        tree.build();
        let leaf = words
            .split(' ')
            .fold(&mut tree, |at, word| at.find_subcommand_mut(word).unwrap());
        all.push_str(&format!("\n===== {words}\n{}", leaf.render_long_help()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_command_lines_are_refused() {
    assert!(exit_of(&["chek"]).is_err());
    assert!(exit_of(&["check", "--format", "xml"]).is_err());
    assert!(exit_of(&["gateway", "ban", "10.0.0.7/8"]).is_err());
    assert!(
        exit_of(&[
            "api-keys", "create", "ci", "--owner", "a@b", "--allow", "Orders"
        ])
        .is_err()
    );
    assert!(exit_of(&["roles", "grant", "a@b"]).is_err());
    assert!(exit_of(&["sessions", "revoke", "nonsense"]).is_err());
}

#[test]
fn serve_and_demo_are_parsed_for_the_program() {
    let parse = |arguments: &[&str]| -> Cli {
        crate::parse(std::iter::once("rampart").chain(arguments.iter().copied())).unwrap()
    };
    let Command::Demo(demo) = parse(&["demo", "--check", "--data", "/tmp/x"]).command else {
        panic!("it is the demo");
    };
    assert!(demo.check);
    let cli = parse(&["serve", "--role", "gateway", "--data", "/tmp/x"]);
    assert_eq!(cli.global.data.unwrap().to_str(), Some("/tmp/x"));
    let Command::Serve(serve) = cli.command else {
        panic!("it is serve")
    };
    assert_eq!(serve.role, Some(crate::Role::Gateway));
}

#[test]
fn init_writes_a_valid_file_and_never_replaces_one() {
    let place = Place::new();
    let first = place.run(&["init", "--name", "acme"]);
    assert_eq!(first.exit, Exit::Ok, "{}", first.err);
    insta::assert_snapshot!("init", first.show());
    assert_eq!(place.run(&["check", "--strict"]).exit, Exit::Ok);
    place.write("rampart.toml", "mine");
    let second = place.run(&["init"]);
    assert_eq!(second.exit, Exit::Usage);
    let kept = std::fs::read_to_string(place.path().join("rampart.toml")).unwrap();
    assert_eq!(kept, "mine");
    insta::assert_snapshot!("init_again", second.show());
}

const BROKEN: &str = "[estate]\nname = \"acme\"\ndomain = \"shop.example\"\n\n[[service]]\nname = \"app\"\nadress = \"127.0.0.1:8000\"\n\n[[route]]\npath = \"/\"\nto = \"ap\"\n";

#[test]
fn check_shows_every_error_with_its_line() {
    let place = Place::new();
    place.write("rampart.toml", BROKEN);
    let ran = place.run(&["check"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!("check_human", ran.show());
    let ran = place.run(&["check", "--format", "json"]);
    assert_eq!(ran.exit, Exit::Usage);
    insta::assert_snapshot!("check_json", ran.show());
    let findings = ran.json()["findings"].as_array().unwrap().len();
    assert_eq!(findings, 4);
}

#[test]
fn check_of_a_missing_or_unreadable_file_says_which() {
    let place = Place::new();
    let ran = place.run(&["check", "none.toml"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(
        ran.err.contains("cannot read `DIR/none.toml`"),
        "{}",
        ran.err
    );
    std::fs::create_dir(place.path().join("folder.toml")).unwrap();
    assert_eq!(place.run(&["check", "folder.toml"]).exit, Exit::Usage);
    store::atomic_write(
        &place.path().join("latin.toml"),
        b"[estate]\nname = \"\xe9\"",
        0o644,
    )
    .unwrap();
    let ran = place.run(&["check", "latin.toml"]);
    assert!(ran.err.contains("is not UTF-8 at byte 17"), "{}", ran.err);
}

#[test]
fn hostile_text_in_a_file_reaches_no_terminal() {
    let place = Place::new();
    place.write(
        "rampart.toml",
        "[estate]\nname = \"a\u{9b}31m\u{202e}\"\n# \u{1b}]0;title\n",
    );
    let ran = place.run(&["check"]);
    assert_eq!(ran.exit, Exit::Usage);
    assert!(!ran.err.contains(['\u{1b}', '\u{9b}']), "{:?}", ran.err);
}

#[test]
fn findings_in_endless_lines_are_shown_by_their_place() {
    let place = Place::new();
    let long = "x".repeat(100_000);
    place.write(
        "rampart.toml",
        &format!("[estate]\nname = \"{long}\"\n# {long}\ndomain = 1\n"),
    );
    let ran = place.run(&["check"]);
    assert!(ran.err.contains("(line 2, column 8)"), "{}", ran.err.len());
    assert!(ran.err.len() < 2000, "{}", ran.err.len());
}

#[test]
fn config_show_says_where_every_value_comes_from() {
    let place = Place::new();
    place.run(&["init", "--name", "acme"]);
    insta::assert_snapshot!(
        "config_origin",
        place
            .run(&["config", "show", "identity", "--origin"])
            .show()
    );
    insta::assert_snapshot!(
        "config_jsonl",
        place
            .run(&["config", "show", "listen", "--format", "jsonl"])
            .show()
    );
}

#[test]
fn schema_is_json_in_every_format() {
    let place = Place::new();
    for format in ["human", "json", "jsonl"] {
        let schema = place.run(&["schema", "--format", format]).json();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
}

#[test]
fn completions_and_manual_cover_the_tree() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).out;
        assert!(script.contains("rescue"), "{shell}");
    }
    assert!(place.run(&["man"]).out.contains(".TH"));
    let ran = place.run(&["man", "--to", "man"]);
    assert_eq!(ran.exit, Exit::Ok, "{}", ran.err);
    let page = std::fs::read_to_string(place.path().join("man/rampart-gateway-explain.1")).unwrap();
    assert!(page.contains("EXIT CODES"));
}

#[test]
fn reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    let exit = place.run_into(&["schema"], Box::new(Gone), Box::new(Sink::default()));
    assert_eq!(exit, Exit::Ok);
}

#[test]
fn colours_are_written_only_when_asked_for() {
    let place = Place::new();
    place.write("rampart.toml", BROKEN);
    assert!(!place.run(&["check"]).err.contains('\u{1b}'));
    assert!(
        place
            .run(&["check", "--color", "always"])
            .err
            .contains('\u{1b}')
    );
    assert!(
        !place
            .run(&["check", "--color", "never"])
            .err
            .contains('\u{1b}')
    );
}

#[test]
fn server_that_is_not_there_is_said_plainly() {
    let place = Place::new();
    let ran = place.run(&["status"]);
    assert_eq!(ran.exit, Exit::Failed);
    insta::assert_snapshot!("no_server", ran.show());
    let ran = place.run(&["people", "list", "--format", "json"]);
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(
        (&error["schema"], &error["exit"]),
        (&json!("rampart.error.v1"), &json!(3))
    );
    assert_eq!(ran.out, "");
}

#[test]
fn config_is_looked_for_in_order() {
    let place = Place::new();
    let found = |variables: &[(&str, &str)]| {
        let variables = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).into()))
            .collect();
        crate::config_file(&variables, place.path()).map(|path| path.display().to_string())
    };
    let xdg = place.path().join("xdg");
    std::fs::create_dir_all(xdg.join("rampart")).unwrap();
    let xdg = xdg.to_str().unwrap();
    assert_eq!(
        found(&[("XDG_CONFIG_HOME", xdg)]).unwrap_err().exit,
        Exit::Usage
    );
    place.write("xdg/rampart/rampart.toml", "");
    assert_eq!(
        found(&[("XDG_CONFIG_HOME", xdg)]).unwrap(),
        format!("{xdg}/rampart/rampart.toml")
    );
    place.write("rampart.toml", "");
    let here = place.path().join("rampart.toml").display().to_string();
    assert_eq!(found(&[("XDG_CONFIG_HOME", xdg)]).unwrap(), here);
    assert_eq!(
        found(&[("RAMPART_CONFIG", "/other.toml")]).unwrap(),
        "/other.toml"
    );
}

#[test]
fn data_folder_follows_variable_then_user() {
    let of = |variables: &[(&str, &str)], root: bool| {
        let variables = variables
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).into()))
            .collect();
        crate::data_folder(&variables, root).map(|path| path.display().to_string())
    };
    assert_eq!(
        of(&[("RAMPART_DATA", "/d"), ("HOME", "/h")], true).unwrap(),
        "/d"
    );
    assert_eq!(of(&[("HOME", "/h")], true).unwrap(), "/var/lib/rampart");
    assert_eq!(
        of(&[("HOME", "/h")], false).unwrap(),
        "/h/.local/state/rampart"
    );
    assert_eq!(
        of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")], false).unwrap(),
        "/s/rampart"
    );
    assert_eq!(of(&[], false).unwrap_err().exit, Exit::Usage);
}
