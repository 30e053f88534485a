//! Bad input anywhere gets a clear error that says what and where; nothing is lost or half-applied.

use http::Method;
use serde_json::json;

use crate::backend::Backend;
use crate::world::{OPEN, World};

async fn world() -> (World, std::net::SocketAddr) {
    let (_backend, address) = Backend::start().await;
    (World::start(address, OPEN).await, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_estate_names_every_error_with_its_line_and_applies_nothing() {
    let (world, address) = world().await;
    let bad = format!(
        "{OPEN}\n[[route]]\nname = \"bad\"\nhost = \"app.localhost\"\npath = \"/x\"\nto = \"bakend\"\nauth = \"nome\"\n"
    );
    world.write_estate(address, &bad);
    for command in [&["check"][..], &["plan"], &["apply", "--yes"]] {
        let (code, out, err) = world.cli(command);
        let all = format!("{out}{err}");
        assert_ne!(code, 0, "{command:?} {all}");
        for expected in ["bakend", "backend", "nome", "none"] {
            assert!(all.contains(expected), "{command:?} `{expected}`: {all}");
        }
        let source = std::fs::read_to_string(world.config()).unwrap();
        let line = source.lines().position(|l| l.contains("bakend")).unwrap() + 1;
        assert!(
            all.contains(&line.to_string()),
            "{command:?} line {line}: {all}"
        );
    }
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
    let current = world.ask(Method::GET, "/estate", None).await.unwrap();
    assert!(!current.to_string().contains("bakend"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn api_says_what_is_wrong_with_a_body_and_keeps_nothing_of_it() {
    let (world, _) = world().await;
    for (body, words) in [
        (json!({ "login": "ada" }), "name"),
        (
            json!({ "login": "ada", "name": "Ada", "roles": ["reader"], "x": 1 }),
            "x",
        ),
        (
            json!({ "login": "ada", "name": "Ada", "roles": ["redaer"] }),
            "redaer",
        ),
        (
            json!({ "login": "a b\n", "name": "Ada", "roles": [] }),
            "login",
        ),
        (json!({ "login": 7, "name": "Ada" }), "expected a string"),
    ] {
        let refused = world.ask(Method::POST, "/people", Some(body.clone())).await;
        let (status, problem) = refused.unwrap_err();
        assert!((400..500).contains(&status), "{status} {body}");
        assert!(problem.to_string().contains(words), "{body}: {problem}");
        assert!(problem["request_id"].is_string(), "{problem}");
    }
    let people = world.ask(Method::GET, "/people", None).await.unwrap();
    assert!(!people.to_string().contains("ada"), "{people}");
    let (status, _) = world.ask(Method::GET, "/nothing", None).await.unwrap_err();
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let (world, _) = world().await;
    let output = std::process::Command::new(crate::world::program())
        .args(["serve", "--data"])
        .arg(world.data())
        .arg("--config")
        .arg(world.config())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("another rampart"), "{text}");
    assert_eq!(world.get("app.localhost", "/ok").await.status, 200);
}

#[test]
fn command_line_says_what_it_does_not_know() {
    for (arguments, words) in [
        (&["serv"][..], "serve"),
        (&["serve", "--rol", "control"], "--role"),
        (&["serve", "--workers", "0"], "workers"),
        (&["serve", "--log", "a=b=c"], "--log"),
        (
            &["check", "--config", "/nonexistent/rampart.toml"],
            "/nonexistent",
        ),
    ] {
        let output = std::process::Command::new(crate::world::program())
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}

#[test]
fn serve_without_an_estate_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(crate::world::program())
        .args(["serve", "--data"])
        .arg(folder.path().join("data"))
        .arg("--config")
        .arg(folder.path().join("none.toml"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("none.toml"), "{text}");
}
