//! Load: wrk, pinned beside the backend, and what it says.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Connections kept open by the load.
pub(super) const CONNECTIONS: u32 = 32;
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// What one run of wrk did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Done {
    /// Requests answered.
    pub(super) requests: f64,
    /// Requests per second.
    pub(super) per_s: f64,
}

/// Loads `url` for so many seconds from `core`.
pub(super) fn run(
    core: u32,
    wrk: &Path,
    url: &str,
    header: Option<&str>,
    seconds: u32,
) -> anyhow::Result<Done> {
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(wrk).args([
        "-t",
        "1",
        "-c",
        &CONNECTIONS.to_string(),
        "-d",
        &format!("{seconds}s"),
    ]);
    if let Some(header) = header {
        command.args(["-H", header]);
    }
    let output = command.arg(url).output().context("cannot start wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!(
            "wrk failed: {}{}",
            text,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    parse(&text)
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
fn parse(text: &str) -> anyhow::Result<Done> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\n  \
        12345 requests in 1.00s, 9.00MB read\nRequests/sec:  12300.50\nTransfer/sec: 9.00MB\n";

    #[test]
    fn figures_are_read() {
        let done = parse(REPORT).unwrap();
        assert_eq!(
            done,
            Done {
                requests: 12345.0,
                per_s: 12300.5
            }
        );
    }

    #[test]
    fn refusals_spoil_a_round() {
        let text = format!("{REPORT}  Non-2xx or 3xx responses: 7\n");
        assert!(parse(&text).is_err());
        let text = format!("{REPORT}  Socket errors: connect 0, read 3, write 0, timeout 0\n");
        assert!(parse(&text).is_err());
        let text = format!("{REPORT}  Socket errors: connect 0, read 0, write 0, timeout 0\n");
        assert!(parse(&text).is_ok());
    }
}
