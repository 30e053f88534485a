//! Rampart as a side of a bench: the release build with one worker, and an estate of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::contender::{Addresses, Certificate, PROXY_CORE, TLS_HOST, listening};
use super::enrol;
use super::process::{Pinned, children};
use crate::generate::write;

/// Where the bench's console is.
const CONSOLE_HOST: &str = "rampart.bench.localhost";
/// What the route that asks for everything is held to.
const DOCUMENT: &str = "bench.openapi.yaml";
const DOCUMENT_TEXT: &str = "\
openapi: 3.1.0
info: { title: Bench, version: '1' }
paths:
  /full:
    get:
      parameters:
        - { name: page, in: query, schema: { type: integer, minimum: 1 } }
      responses:
        '200':
          description: The items.
          content: { application/json: { schema: { type: array } } }
";

/// A Rampart with one worker.
#[derive(Debug)]
pub(super) struct Rampart {
    process: Pinned,
    /// Where its gateway listens.
    pub(super) at: Addresses,
    /// Its processes: supervisor, control and gateway.
    pub(super) gateway: u32,
    pub(super) control: u32,
    /// Its folder of data.
    data: String,
}

impl Rampart {
    /// Starts the program with an estate of `ground` and `routes`, whatever they name lying in
    /// `folder` already.
    pub(super) fn start(
        program: &Path,
        folder: &Path,
        ground: Ground<'_>,
        routes: &str,
    ) -> anyhow::Result<Self> {
        let config = folder.join("rampart.toml");
        let data = folder.join("data");
        let log = folder.join("rampart.log");
        write(&config, &ground.estate(routes))?;
        let at = ground.at;
        let (config, data) = (config.display().to_string(), data.display().to_string());
        let key_file = folder.join("root.key").display().to_string();
        let arguments = [
            "serve",
            "--config",
            &config,
            "--data",
            &data,
            "--root-key",
            &key_file,
            "--workers",
            "1",
            "--log",
            "warn",
        ];
        let mut process = Pinned::start(PROXY_CORE, program, &arguments, &log)?;
        listening(at.clear, &mut process, &log)?;
        let (gateway, control) = roles(process.id())?;
        Ok(Self {
            process,
            at,
            gateway,
            control,
            data,
        })
    }

    /// Starts it with the routes of `bench gateway`, and makes an API key.
    pub(super) fn with_key(
        root: &Path,
        folder: &Path,
        certificate: &Certificate,
        backend: SocketAddr,
    ) -> anyhow::Result<(Self, String)> {
        let program = build(root)?;
        write(&folder.join(DOCUMENT), DOCUMENT_TEXT)?;
        let ground = Ground {
            at: Addresses::free()?,
            certificate,
            backend,
        };
        let rampart = Self::start(&program, folder, ground, &routes())?;
        let key = api_key(&program, &rampart.data)?;
        Ok((rampart, key))
    }

    /// Every process of it.
    pub(super) fn processes(&self) -> [u32; 3] {
        [self.process.id(), self.control, self.gateway]
    }
}

/// Builds the release binary; cargo knows whether there is anything to do.
pub(crate) fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", "rampart"])
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the release build failed");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/rampart"))
}

/// What every estate of a bench stands on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) at: Addresses,
    pub(super) certificate: &'a Certificate,
    pub(super) backend: SocketAddr,
}

impl Ground<'_> {
    fn estate(&self, routes: &str) -> String {
        let Self { at, backend, .. } = self;
        let (chain, key) = (
            self.certificate.chain.display(),
            self.certificate.key.display(),
        );
        format!(
            "[estate]\nname = \"bench\"\ndomain = \"bench.localhost\"\n\n\
             [listen]\nhttps = [\"{}\"]\nhttp = [\"{}\"]\nplain = true\nmetrics = \"off\"\n\n\
             [[certificate]]\nhosts = [\"{TLS_HOST}\"]\nchain = \"{chain}\"\nkey = \"{key}\"\n\n\
             [gateway]\nconnections_max = 12000\nconnections_per_address_max = 12000\n\n\
             [limits]\nper_address = \"off\"\n\n\
             [[service]]\nname = \"backend\"\naddress = \"{backend}\"\n\n{routes}",
            at.tls, at.clear
        )
    }
}

/// A route that asks for nothing, and one that asks for everything.
fn routes() -> String {
    format!(
        "[[role]]\nname = \"reader\"\nallow = [\"items:read\"]\n\n\
         [[route]]\nname = \"plain\"\npath = \"/plain\"\nto = \"backend\"\nauth = \"none\"\n\n\
         [[route]]\nname = \"full\"\npath = \"/full\"\nto = \"backend\"\nopenapi = \"{DOCUMENT}\"\n\
         require = {{ GET = \"items:read\" }}\n\
         limit = [\"1000000/s per key\", \"1000000/s per address\"]\n"
    )
}

/// The processes below the supervisor, by their role.
fn roles(supervisor: u32) -> anyhow::Result<(u32, u32)> {
    let running = children(supervisor)?;
    let role = |name: &str| {
        let plays = |line: &str| {
            let after = line.split("--role").nth(1).unwrap_or_default();
            after.trim_start_matches([' ', '=']).starts_with(name)
        };
        let found = running.iter().find(|(_, line)| plays(line));
        found
            .map(|(pid, _)| *pid)
            .with_context(|| format!("no process with the role `{name}`"))
    };
    Ok((role("gateway")?, role("control")?))
}

/// Invites somebody who holds the one role, enrols them, and makes a key of theirs.
fn api_key(program: &Path, data: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(["people", "invite", "bench", "--role", "reader"])
        .args(["--data", data, "--format", "json"])
        .output()
        .context("cannot start rampart")?;
    if !output.status.success() {
        bail!(
            "nobody can be invited: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let invited: Value = serde_json::from_slice(&output.stdout)?;
    let link = find(&invited, "path").context("the invitation has no path")?;
    let socket = Path::new(data).join("run/control-http.sock");
    enrol::key(&socket, CONSOLE_HOST, link, "items:read")
}

/// The text named `name`, wherever it stands: the answer may be wrapped.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let fields = value.as_object()?;
    let here = fields.get(name).and_then(Value::as_str);
    here.or_else(|| fields.values().find_map(|value| find(value, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estate_of_the_bench_is_valid() {
        let at = Addresses {
            clear: ([127, 0, 0, 1], 8080).into(),
            tls: ([127, 0, 0, 1], 8443).into(),
        };
        let certificate = Certificate {
            chain: "chain.pem".into(),
            key: "key.pem".into(),
            both: "both.pem".into(),
        };
        let ground = Ground {
            at,
            certificate: &certificate,
            backend: ([127, 0, 0, 1], 8081).into(),
        };
        let text = ground.estate(&routes());
        let parsed = ::estate::Estate::parse(&text).unwrap();
        assert_eq!(parsed.estate.console.host, CONSOLE_HOST);
        assert!(parsed.estate.listen.plain);
        assert_eq!(parsed.estate.routes.len(), 2);
    }

    #[test]
    fn a_wrapped_answer_is_searched() {
        let answer = serde_json::json!({ "schema": "x", "data": { "path": "/enrol/y" } });
        assert_eq!(find(&answer, "path"), Some("/enrol/y"));
        assert_eq!(find(&answer, "link"), None);
    }
}
