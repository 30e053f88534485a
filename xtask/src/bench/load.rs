//! Load: wrk for HTTP/1.1, h2load for HTTP/2 and for a steady rate, each pinned beside the backend,
//! and what they say.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::machine;

/// Connections kept open by the load over HTTP/1.1, and streams in all over HTTP/2.
pub(super) const CONNECTIONS: u32 = 32;
/// Connections over HTTP/2; the streams are shared out among them.
const HTTP2_CONNECTIONS: u32 = 4;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How long wrk waits for an answer: a proxy that takes long is slow, not broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one run did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Done {
    /// Requests answered.
    pub(super) requests: f64,
    /// Requests per second.
    pub(super) per_s: f64,
}

/// What is asked for, from which core.
#[derive(Clone, Debug)]
pub(super) struct Aim<'a> {
    pub(super) core: u32,
    pub(super) url: &'a str,
    pub(super) header: Option<&'a str>,
    /// What wrk sends, in its own language; a GET of the URL without one.
    pub(super) script: Option<&'a Path>,
    pub(super) seconds: u32,
}

impl Aim<'_> {
    fn command(&self, name: &str) -> anyhow::Result<Command> {
        let program: PathBuf =
            machine::program(name).with_context(|| format!("`{name}` is not installed"))?;
        let mut command = Command::new("taskset");
        command
            .args(["-c", &self.core.to_string()])
            .arg(program)
            .args(["-t", "1"]);
        if let Some(header) = self.header {
            command.args(["-H", header]);
        }
        Ok(command)
    }

    /// As much as there is room for, over HTTP/1.1.
    pub(super) fn wrk(&self) -> anyhow::Result<Done> {
        let mut command = self.command("wrk")?;
        command
            .args(["-c", &CONNECTIONS.to_string()])
            .args(["-d", &format!("{}s", self.seconds)])
            .args(["--timeout", &format!("{}s", PATIENCE.as_secs())]);
        if let Some(script) = self.script {
            command.arg("-s").arg(script);
        }
        command.arg(self.url);
        wrk_report(&said(command)?)
    }

    /// As much as there is room for, over HTTP/2.
    pub(super) fn http2(&self) -> anyhow::Result<Done> {
        let mut command = self.command("h2load")?;
        let streams = CONNECTIONS / HTTP2_CONNECTIONS;
        command
            .args(["-c", &HTTP2_CONNECTIONS.to_string()])
            .args(["-m", &streams.to_string()])
            .args(["-D", &self.seconds.to_string()])
            .arg(self.url);
        h2load_report(&said(command)?, f64::from(self.seconds))
    }

    /// So many requests a second over HTTP/1.1; the time of each answer, in microseconds.
    pub(super) fn steady(&self, per_s: f64, log: &Path) -> anyhow::Result<Vec<u32>> {
        let mut command = self.command("h2load")?;
        let each = (per_s / f64::from(CONNECTIONS)).max(1.0).round();
        command
            .arg("--h1")
            .args(["-c", &CONNECTIONS.to_string()])
            .args(["--rps", &each.to_string()])
            .args(["-D", &self.seconds.to_string()])
            .arg(format!("--log-file={}", log.display()))
            .arg(self.url);
        h2load_report(&said(command)?, f64::from(self.seconds))?;
        let lines = std::fs::read_to_string(log)
            .with_context(|| format!("cannot read `{}`", log.display()))?;
        std::fs::remove_file(log)?;
        let times: Vec<u32> = lines.lines().filter_map(answer_time).collect();
        if times.is_empty() {
            bail!("h2load noted no answer");
        }
        Ok(times)
    }
}

fn said(mut command: Command) -> anyhow::Result<String> {
    let output = command.output().context("cannot start the load")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let more = String::from_utf8_lossy(&output.stderr);
        bail!("the load failed: {text}{more}");
    }
    Ok(text)
}

/// Opens so many connections, each of which is answered once and then waits.
pub(super) fn crowd(address: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut all = Vec::with_capacity(count);
    for number in 0..count {
        let failed = || format!("connection {number} of a crowd");
        let mut stream = TcpStream::connect(address).with_context(failed)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let request = "GET /plain HTTP/1.1\r\nHost: crowd.bench.localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).with_context(failed)?;
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).with_context(failed)?;
        if !answer
            .get(..read)
            .unwrap_or_default()
            .starts_with(b"HTTP/1.1 200 ")
        {
            bail!("{} was not answered", failed());
        }
        all.push(stream);
    }
    Ok(all)
}

/// Figures from wrk's report. Any answer that is no success, and any broken connection, spoils
/// the round: a proxy that refuses is fast.
fn wrk_report(text: &str) -> anyhow::Result<Done> {
    for line in text.lines().map(str::trim) {
        let spoilt = line.starts_with("Non-2xx")
            || (line.starts_with("Socket errors:")
                && line.contains(|c: char| ('1'..='9').contains(&c)));
        if spoilt {
            bail!("the round does not count: {line}");
        }
    }
    let requests = text
        .lines()
        .find_map(|line| line.trim().split_once(" requests in ")?.0.parse().ok())
        .context("wrk did not say how many requests it made")?;
    if requests < 1.0 {
        bail!("the round does not count: nothing was answered");
    }
    let per_s = text
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("Requests/sec:")?
                .trim()
                .parse()
                .ok()
        })
        .context("wrk did not say how many requests it made a second")?;
    Ok(Done { requests, per_s })
}

/// Figures from h2load's report, under the same rule. Requests that were under way when the time
/// was over are counted apart there.
fn h2load_report(text: &str, seconds: f64) -> anyhow::Result<Done> {
    let line = |name: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .with_context(|| format!("h2load said nothing of `{name}`"))
    };
    let number = |line: &str, name: &str| {
        line.split(',')
            .find_map(|part| part.trim().strip_suffix(name)?.trim().parse::<f64>().ok())
            .with_context(|| format!("h2load did not say how many {name}"))
    };
    let statuses = line("status codes:")?;
    for bad in ["3xx", "4xx", "5xx"] {
        if number(statuses, bad)? > 0.0 {
            bail!("the round does not count: {statuses}");
        }
    }
    let requests = line("requests:")?;
    for bad in ["failed", "errored", "timeout"] {
        if number(requests, bad)? > 0.0 {
            bail!("the round does not count: {requests}");
        }
    }
    let requests = number(statuses, "2xx")?;
    if requests < 1.0 {
        bail!("nothing was answered");
    }
    Ok(Done {
        requests,
        per_s: requests / seconds,
    })
}

/// Microseconds until the end of an answer: start, status and that, by tabs.
fn answer_time(line: &str) -> Option<u32> {
    let mut columns = line.split('\t').skip(1);
    let status = columns.next()?;
    (status == "200").then(|| columns.next()?.trim().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\n  \
        12345 requests in 1.00s, 9.00MB read\nRequests/sec:  12300.50\nTransfer/sec: 9.00MB\n";
    const H2LOAD: &str = "finished in 2.00s, 4.50 req/s, 1KB/s\nrequests: 9 total, 9 started, \
        9 done, 9 succeeded, 0 failed, 0 errored, 0 timeout\nstatus codes: 9 2xx, 0 3xx, 0 4xx, \
        0 5xx\n";

    #[test]
    fn figures_are_read() {
        let done = wrk_report(REPORT).unwrap();
        assert_eq!(
            done,
            Done {
                requests: 12345.0,
                per_s: 12300.5
            }
        );
        let done = h2load_report(H2LOAD, 2.0).unwrap();
        assert_eq!(
            done,
            Done {
                requests: 9.0,
                per_s: 4.5
            }
        );
    }

    #[test]
    fn refusals_spoil_a_round() {
        let text = format!("{REPORT}  Non-2xx or 3xx responses: 7\n");
        assert!(wrk_report(&text).is_err());
        let text = format!("{REPORT}  Socket errors: connect 0, read 3, write 0, timeout 0\n");
        assert!(wrk_report(&text).is_err());
        let text = format!("{REPORT}  Socket errors: connect 0, read 0, write 0, timeout 0\n");
        assert!(wrk_report(&text).is_ok());
        assert!(wrk_report(&REPORT.replace("12345 requests", "0 requests")).is_err());
        assert!(h2load_report(&H2LOAD.replace("0 4xx", "1 4xx"), 2.0).is_err());
        assert!(h2load_report(&H2LOAD.replace("0 failed", "1 failed"), 2.0).is_err());
        assert!(h2load_report(&H2LOAD.replace("9 2xx", "0 2xx"), 2.0).is_err());
    }

    #[test]
    fn times_of_answers_are_read() {
        assert_eq!(answer_time("1700000000000000\t200\t153"), Some(153));
        assert_eq!(answer_time("1700000000000000\t503\t153"), None);
        assert_eq!(answer_time("nonsense"), None);
    }
}
