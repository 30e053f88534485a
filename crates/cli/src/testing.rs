//! For tests: a command run in a folder of its own, against a real server on a real socket.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::env::{Input, Streams};
use crate::{Cli, Env, Exit};

/// Bytes somebody wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A reader that has gone away.
#[derive(Debug)]
pub(crate) struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder to run commands in.
#[derive(Debug)]
pub(crate) struct Place {
    folder: tempfile::TempDir,
    /// What somebody types.
    pub(crate) typed: Option<&'static str>,
}

/// How a command came out.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// All of it, for a snapshot.
    pub(crate) fn show(&self) -> String {
        format!(
            "exit {}\n--- out\n{}--- err\n{}",
            self.exit.code(),
            self.out,
            self.err
        )
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            typed: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        store::atomic_write(&self.path().join(name), text.as_bytes(), 0o644).unwrap();
    }

    /// Runs `rampart` with `arguments`; paths of the folder are shown as `DIR`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let (out, err) = (Sink::default(), Sink::default());
        let exit = self.run_into(arguments, Box::new(out.clone()), Box::new(err.clone()));
        let folder = self.path().to_str().unwrap().to_owned();
        let shown = |sink: Sink| sink.text().replace(&folder, "DIR");
        Ran {
            exit,
            out: shown(out),
            err: shown(err),
        }
    }

    pub(crate) fn run_into(
        &self,
        arguments: &[&str],
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Exit {
        self.run_at(arguments, out, err, || None)
    }

    /// Runs with a terminal of that many columns and rows.
    pub(crate) fn run_on_screen(
        &self,
        arguments: &[&str],
        out: Box<dyn Write + Send>,
        screen: fn() -> Option<(usize, usize)>,
    ) -> Exit {
        self.run_at(arguments, out, Box::new(Sink::default()), screen)
    }

    fn run_at(
        &self,
        arguments: &[&str],
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        screen: fn() -> Option<(usize, usize)>,
    ) -> Exit {
        let all = std::iter::once("rampart").chain(arguments.iter().copied());
        let matches = crate::command().try_get_matches_from(all).unwrap();
        let cli = <Cli as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        let variables = [("RAMPART_DATA".to_owned(), self.data().into_os_string())];
        crate::run(
            cli,
            Env {
                variables: BTreeMap::from(variables),
                folder: self.path().to_owned(),
                is_root: false,
                input: Input {
                    lines: Box::new(io::Cursor::new(self.typed.unwrap_or_default())),
                    is_terminal: self.typed.is_some(),
                },
                output: Streams {
                    out,
                    err,
                    out_is_terminal: screen().is_some(),
                    err_is_terminal: false,
                    no_color: false,
                    width: 100,
                    screen,
                },
                clock: Arc::new(testkit::FakeClock::new()),
            },
        )
    }

    /// Serves `answer` on the administration socket; what was asked is kept.
    pub(crate) fn serve(
        &self,
        answer: impl Fn(&str, &Value) -> (u16, String) + Send + Sync + 'static,
    ) -> Asked {
        let run = self.data().join("run");
        std::fs::create_dir_all(&run).unwrap();
        let listener = std::os::unix::net::UnixListener::bind(run.join("admin.sock")).unwrap();
        listener.set_nonblocking(true).unwrap();
        let asked = Asked::default();
        let kept = asked.clone();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let listener = tokio::net::UnixListener::from_std(listener).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let (answer, kept) = (answer.clone(), kept.clone());
                    let service = hyper::service::service_fn(move |request| {
                        respond(request, answer.clone(), kept.clone())
                    });
                    let serving = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    tokio::spawn(serving);
                }
            });
        });
        asked
    }
}

/// What a server was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<(String, Value)>>>);

impl Asked {
    /// Requests as `POST /people`, in order.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap()
            .iter()
            .map(|(target, _)| target.clone())
            .collect()
    }

    /// The body of the last request.
    pub(crate) fn last(&self) -> Value {
        self.0.lock().unwrap().last().unwrap().1.clone()
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: Arc<impl Fn(&str, &Value) -> (u16, String) + Send + Sync + ?Sized>,
    asked: Asked,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    if head.method != Method::GET && !body.is_empty() {
        assert_eq!(head.headers["content-type"], "application/json");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = head.uri.path_and_query().unwrap().as_str();
    let path = path
        .strip_prefix("/api/v1")
        .expect("every request is under /api/v1");
    let target = format!("{} {path}", head.method);
    let (status, text) = answer(&target, &body);
    asked.0.lock().unwrap().push((target, body));
    Ok(Response::builder()
        .status(status)
        .body(Full::new(Bytes::from(text)))
        .unwrap())
}
