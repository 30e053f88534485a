//! `cargo xtask fuzz waf --minutes N`: bytes that become of good ones by damage, put through the
//! readers of the WAF's engine for so long, by processor time. What is found is printed with its round and seed.

use std::process::Command;

use anyhow::Context as _;

use crate::chores::{Exit, complain, root};

/// LIMIT: minutes of one run.
const MINUTES_MAX: u64 = 7 * 24 * 60;

/// Runs the chore.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<Exit> {
    let Some((minutes, seed)) = parse(words) else {
        complain("usage: cargo xtask fuzz waf --minutes N [--seed N]");
        return Ok(Exit::Usage);
    };
    let folder = std::env::var_os("RAMPART_CRS_DIR");
    let folder = root().join(folder.unwrap_or_else(|| "../shared/data/crs".into()));
    let cargo = [
        "run",
        "--release",
        "--locked",
        "-p",
        "seclang",
        "--example",
        "fuzz",
        "--",
    ];
    let ended = Command::new(env!("CARGO"))
        .args(cargo)
        .args([minutes.to_string(), seed.to_string()])
        .arg(folder)
        .current_dir(root())
        .status()
        .context("cannot run cargo")?;
    Ok(if ended.success() {
        Exit::Fine
    } else {
        Exit::No
    })
}

fn parse(words: &[&str]) -> Option<(u64, u64)> {
    let ["waf", rest @ ..] = words else {
        return None;
    };
    let (mut minutes, mut seed) = (0, 1);
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--minutes" => minutes = rest.next()?.parse().ok()?,
            "--seed" => seed = rest.next()?.parse().ok()?,
            _ => return None,
        }
    }
    (1..=MINUTES_MAX)
        .contains(&minutes)
        .then_some((minutes, seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_minutes_and_may_have_a_seed() {
        assert_eq!(parse(&["waf", "--minutes", "3"]), Some((3, 1)));
        assert_eq!(
            parse(&["waf", "--seed", "9", "--minutes", "3"]),
            Some((3, 9))
        );
        for refused in [
            &["waf"][..],
            &["waf", "--minutes", "0"],
            &["other", "--minutes", "1"],
        ] {
            assert_eq!(parse(refused), None);
        }
    }
}
