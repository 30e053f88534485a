//! A side of the bench: a program that loads rules and then runs requests when it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context as _;

/// The program, with its rules loaded.
pub(super) struct Peer {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Processor time of loading.
    pub(super) load_ns: f64,
    /// What the process holds then.
    pub(super) resident_kib: f64,
    pub(super) version: String,
}

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    pub(super) ns: f64,
    pub(super) requests: f64,
    /// Of the last request: zero when it was let through.
    pub(super) status: u16,
}

impl Peer {
    /// Starts it; none when it ends without loading, which it has then said why.
    pub(super) fn start(
        program: &Path,
        arguments: &[String],
        rules: &Path,
    ) -> anyhow::Result<Option<Self>> {
        let mut child = Command::new(program)
            .args(arguments)
            .arg(rules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", program.display()))?;
        let commands = child.stdin.take().context("no way to tell it")?;
        let answers = child.stdout.take().context("no way to hear it")?;
        let mut peer = Self {
            child,
            commands,
            answers: BufReader::new(answers),
            load_ns: 0.0,
            resident_kib: 0.0,
            version: String::new(),
        };
        let line = peer.line()?;
        let mut words = line.splitn(4, ' ');
        if words.next() != Some("ready") {
            return Ok(None);
        }
        peer.load_ns = number(words.next())?;
        peer.resident_kib = number(words.next())?;
        peer.version = words.next().unwrap_or("unknown").to_owned();
        Ok(Some(peer))
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .context("it says nothing")?;
        Ok(line.trim_end().to_owned())
    }

    /// Runs the requests of a file so often.
    pub(super) fn run(&mut self, file: &Path, times: u32) -> anyhow::Result<Ran> {
        writeln!(self.commands, "run {} {times}", file.display()).context("it has ended")?;
        self.commands.flush()?;
        let line = self.line()?;
        let mut words = line.split(' ');
        Ok(Ran {
            ns: number(words.next())?,
            requests: number(words.next())?,
            status: words
                .next()
                .and_then(|word| word.parse().ok())
                .context("no status")?,
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn number(word: Option<&str>) -> anyhow::Result<f64> {
    let number = word.and_then(|word| word.parse().ok());
    number.with_context(|| format!("`{}` is no number", word.unwrap_or_default()))
}
