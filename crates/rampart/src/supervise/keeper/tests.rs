//! Small shell scripts as processes.

use std::sync::Arc;

use super::*;

/// Says that it serves, then waits.
const SERVES: &str = "echo ready; exec sleep 60";
/// The first process serves; each one after it ends at once.
const SERVES_ONCE: &str = "mkdir once || exit 7; echo ready; exec sleep 60";
/// Serves, and leaves by itself when another one comes.
const LEAVES: &str = "if mkdir once 2>/dev/null; then echo ready; until [ -e next ]; do sleep 0.02; done; exit 0; \
    else echo ready; touch next; exec sleep 60; fi";

struct Kept {
    keeping: tokio::task::JoinHandle<u8>,
    stop: watch::Sender<bool>,
    restart: mpsc::Sender<()>,
    said: mpsc::Receiver<String>,
    _folder: tempfile::TempDir,
}

fn keep(script: &str) -> Kept {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("cd '{}'; {script}", folder.path().display());
    let (stop, stopping) = watch::channel(false);
    let (restart, restarts) = mpsc::channel(1);
    let (say, said) = mpsc::channel(16);
    let keeper = Keeper {
        program: "/bin/sh".into(),
        role: Role {
            name: "gateway",
            arguments: vec!["-c".into(), script.into()],
            user: None,
            part: Part::Serves,
        },
        mark: ("MARK", "1"),
        clock: Arc::new(model::SystemClock::new()),
        stop: stopping,
        restarts: Some(restarts),
        words: None,
        say,
    };
    Kept {
        keeping: tokio::spawn(keeper.keep()),
        stop,
        restart,
        said,
        _folder: folder,
    }
}

#[tokio::test]
async fn process_that_says_anything_serves_and_is_stopped() {
    let mut kept = keep(SERVES);
    assert_eq!(kept.said.recv().await.unwrap(), "serves");
    kept.stop.send_replace(true);
    // Ended by a signal: no code of its own.
    assert_eq!(kept.keeping.await.unwrap(), 3);
}

#[tokio::test]
async fn successor_that_ends_before_it_serves_is_said_and_the_present_one_stays() {
    let mut kept = keep(SERVES_ONCE);
    assert_eq!(kept.said.recv().await.unwrap(), "serves");
    for _ in 0..3 {
        kept.restart.send(()).await.unwrap();
        let said = kept.said.recv().await.unwrap();
        assert!(said.contains("exit status: 7"), "{said}");
    }
    kept.stop.send_replace(true);
    kept.keeping.await.unwrap();
}

#[tokio::test]
async fn one_that_leaves_after_its_successor_serves_is_not_started_again() {
    let mut kept = keep(LEAVES);
    assert_eq!(kept.said.recv().await.unwrap(), "serves");
    kept.restart.send(()).await.unwrap();
    assert_eq!(kept.said.recv().await.unwrap(), "restarted");
    kept.restart.send(()).await.unwrap();
    assert_eq!(
        kept.said.recv().await.unwrap(),
        "restarted",
        "and nothing in between"
    );
    kept.stop.send_replace(true);
    kept.keeping.await.unwrap();
}

#[tokio::test]
async fn too_many_that_do_not_leave_are_a_failure_that_is_said() {
    let mut kept = keep(SERVES);
    assert_eq!(kept.said.recv().await.unwrap(), "serves");
    for _ in 0..LEAVING_MAX {
        kept.restart.send(()).await.unwrap();
        assert_eq!(kept.said.recv().await.unwrap(), "restarted");
    }
    kept.restart.send(()).await.unwrap();
    let said = kept.said.recv().await.unwrap();
    assert!(said.starts_with("failed too many"), "{said}");
    kept.stop.send_replace(true);
    kept.keeping.await.unwrap();
}
