//! `cargo xtask conformance NAME`: published vectors against our implementations, without mercy.

use std::process::Command;

use anyhow::Context as _;
use model::{Clock as _, SystemClock};
use serde_json::json;

use crate::bench::machine;
use crate::chores::{Exit, complain, root, say};
use crate::generate;

/// A suite: tests that run nothing but published vectors.
struct Suite {
    name: &'static str,
    about: &'static str,
    package: &'static str,
    /// What the tests' names have in common.
    tests: &'static str,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "merkle",
        about: "RFC 9162 tree hashes, inclusion and consistency proofs; C2SP signed notes",
        package: "merkle",
        tests: "",
    },
    Suite {
        name: "framing",
        about: "RFC 9112 and RFC 9113 framing: what is one request, what is refused, under any split",
        package: "gateway",
        tests: "front::",
    },
    Suite {
        name: "http2",
        about: "RFC 9113 and RFC 7541 rule by rule, in raw frames; no known failures",
        package: "gateway",
        tests: "front::http2::conformance::",
    },
    Suite {
        name: "openapi",
        about: "JSON-Schema-Test-Suite draft 2020-12 (where RAMPART_JSON_SCHEMA_SUITE names it), formats, YAML 1.2",
        package: "openapi",
        tests: "",
    },
    Suite {
        name: "reach",
        about: "firewall texts read back and proved; every mutant found; real packets in network namespaces (where RAMPART_NETNS is set) and z3 (where RAMPART_Z3_PYTHON names it) say the same",
        package: "reach",
        tests: "",
    },
    Suite {
        name: "seclang",
        about: "OWASP Core Rule Set regression tests (where RAMPART_CRS_DIR names it) but for the known failures, libinjection fingerprints, transformation vectors",
        package: "seclang",
        tests: "",
    },
    Suite {
        name: "advisories",
        about: "published orders of versions in 12 families (where RAMPART_VERSIONS_DIR names them) but for the known lines, the RustSec and PyPA databases (RAMPART_ADVISORIES_DIR), the ecosystems' own tools (RAMPART_VERSION_TOOLS=1)",
        package: "advisories",
        tests: "",
    },
    Suite {
        name: "purl",
        about: "package URLs: the suite that implementations share (where RAMPART_PURL_SUITE names it), and another implementation on damaged ones",
        package: "advisories",
        tests: "purl::",
    },
    Suite {
        name: "keyring",
        about: "XAES-256-GCM and HKDF vectors, the sealed-value format",
        package: "keyring",
        tests: "",
    },
];

/// Runs the chore: without a name it lists what there is.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<Exit> {
    let (name, as_json) = match words {
        [] => {
            for suite in SUITES {
                say(&format!("{:<10} {}", suite.name, suite.about));
            }
            return Ok(Exit::Fine);
        }
        ["--write"] => return write(),
        [name] | [name, "--format", "human"] => (*name, false),
        [name, "--format", "json"] => (*name, true),
        _ => {
            complain("usage: cargo xtask conformance [NAME [--format json] | --write]");
            return Ok(Exit::Usage);
        }
    };
    let Some(suite) = SUITES.iter().find(|suite| suite.name == name) else {
        let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        complain(&format!(
            "error: no suite `{name}`; there are {}",
            names.join(", ")
        ));
        return Ok(Exit::Missing);
    };
    let (passed, failed) = suite.run()?;
    let holds = failed == 0 && passed > 0;
    if as_json {
        let result = json!({
            "name": suite.name, "value": passed, "unit": "tests passed", "peer": suite.about,
            "bar": passed + failed, "holds": holds,
        });
        say(&json!({ "schema": "rampart.conformance.v1", "results": [result] }).to_string());
    } else {
        say(&format!(
            "{}: {passed} passed, {failed} failed ({})",
            suite.name, suite.about
        ));
    }
    Ok(if holds { Exit::Fine } else { Exit::No })
}

/// Runs every suite and writes the page of the reference.
fn write() -> anyhow::Result<Exit> {
    let mut rows = String::new();
    let mut all = true;
    for suite in SUITES {
        let (passed, failed) = suite.run()?;
        let holds = failed == 0 && passed > 0;
        all &= holds;
        let verdict = if holds { "holds" } else { "FALLS SHORT" };
        say(&format!("{}: {passed} passed, {failed} failed", suite.name));
        rows.push_str(&format!(
            "| `{}` | {} | {passed} | {failed} | {verdict} |\n",
            suite.name, suite.about
        ));
    }
    let page = format!(
        "# Conformance\n\nWritten by `cargo xtask conformance --write` on {} on this machine: {}.\n\n\
         | suite | what | passed | failed | |\n| --- | --- | --- | --- | --- |\n{rows}",
        SystemClock::new().now(),
        machine::describe(),
    );
    generate::write(&root().join("docs/reference/conformance.md"), &page)?;
    Ok(if all { Exit::Fine } else { Exit::No })
}

impl Suite {
    fn run(&self) -> anyhow::Result<(u32, u32)> {
        let output = Command::new(env!("CARGO"))
            .args([
                "test",
                "--locked",
                "--package",
                self.package,
                "--lib",
                "--",
                self.tests,
            ])
            .current_dir(root())
            .output()
            .context("cannot start cargo")?;
        let text = String::from_utf8_lossy(&output.stdout);
        counts(&text)
            .with_context(|| format!("no test ran: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Passed and failed, from the runner's summary.
fn counts(text: &str) -> Option<(u32, u32)> {
    let line = text.lines().find(|line| line.starts_with("test result:"))?;
    let number = |what: &str| {
        let part = line
            .split([';', '.'])
            .find(|part| part.trim_end().ends_with(what))?;
        part.trim().split(' ').next()?.parse().ok()
    };
    Some((number("passed")?, number("failed")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runners_summary_is_read() {
        let text =
            "running 2 tests\n\ntest result: FAILED. 11 passed; 1 failed; 0 ignored; 0 measured\n";
        assert_eq!(counts(text), Some((11, 1)));
        assert_eq!(counts("nothing"), None);
    }
}
