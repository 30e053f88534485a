//! The shop's document in the hands of schemathesis, a fuzzer of others that reads OpenAPI documents.

use std::path::Path;

use rustix::process::Signal;
use testkit::{Process, eventually};

use crate::backend::Backend;
use crate::world::{SOON, World, program, signal};

const ROUTE: &str = r#"
[[route]]
name = "shop"
host = "localhost"
path = "/**"
to = "backend"
auth = "none"
openapi = "shop.yaml"
"#;

/// Runs schemathesis; what it said when it found something.
async fn schemathesis(document: &Path, url: &str, more: &[&str]) -> Result<(), String> {
    let output = tokio::process::Command::new("schemathesis")
        .args(["run", document.to_str().unwrap(), "--url", url])
        .args([
            "--max-examples",
            "40",
            "--seed",
            "7",
            "--no-color",
            "--workers",
            "1",
        ])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(more)
        .current_dir(document.parent().unwrap())
        .env(
            "PYTHONPATH",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/python/localhost"),
        )
        .output();
    let output = tokio::time::timeout(4 * SOON, output)
        .await
        .unwrap()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_way_past_the_shops_document_and_no_way_it_closes_wrongly() {
    if crate::told("RAMPART_REAL_BACKENDS").is_none() {
        return crate::skipped("RAMPART_REAL_BACKENDS is not set");
    }
    // The backend answers everything with 200: whatever is refused, the gateway refuses.
    let (_, address) = Backend::start().await;
    let document = include_str!("../../src/demo/shop.openapi.yaml");
    let world = World::start_with(
        address,
        ROUTE,
        &[
            ("shop.yaml", document),
            (
                "schemathesis.toml",
                "[checks.negative_data_rejection]\nexpected-statuses = [\"4xx\"]\n",
            ),
        ],
    )
    .await;
    let url = format!("http://localhost:{}", world.plain.port());
    let checks = "not_a_server_error,negative_data_rejection,positive_data_acceptance";
    let found = schemathesis(
        &world.folder().join("shop.yaml"),
        &url,
        &["--checks", checks],
    )
    .await;
    assert_eq!(found, Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_makes_nothing_of_the_demo_break() {
    if crate::told("RAMPART_REAL_BACKENDS").is_none() {
        return crate::skipped("RAMPART_REAL_BACKENDS is not set");
    }
    let folder = tempfile::tempdir().unwrap();
    let [address] = testkit::free_addresses().unwrap();
    let data = folder.path().join("demo");
    let listen = address.to_string();
    let arguments = [
        "demo",
        "--data",
        data.to_str().unwrap(),
        "--listen",
        &listen,
    ];
    let log = folder.path().join("log");
    let mut demo = Process::start(&program(), &arguments, &log).unwrap();
    let ready = || async { demo.output().contains("traffic goes on") };
    assert!(eventually(2 * SOON, ready).await, "{}", demo.output());
    let authority = data.join("tls/ca.pem");
    let url = format!("https://shop.localhost:{}", address.port());
    let document = data.join("demo/shop.openapi.yaml");
    let more = [
        "--checks",
        "not_a_server_error",
        "--tls-verify",
        authority.to_str().unwrap(),
    ];
    let found = schemathesis(&document, &url, &more).await;
    // It ends in good order, with the processes it started.
    signal(demo.id().unwrap(), Signal::TERM);
    demo.exit_code(2 * SOON).await.unwrap();
    assert_eq!(found, Ok(()));
}
