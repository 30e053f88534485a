//! The status file of dpkg (`dpkg(1)`, Debian Policy §5): stanzas of fields. Only packages whose
//! files are there count; which release they belong to, the caller says.

use super::{Builder, Draft, ReadError, Why};
use crate::text::{lines, said};
use crate::{Ecosystem, Scope};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A stanza has a `Status`.
    Status,
    /// A stanza may have none, and then is installed.
    StatusD,
}

pub(super) fn read_status(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    read(bytes, Kind::Status, builder)
}

pub(super) fn read_status_d(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    read(bytes, Kind::StatusD, builder)
}

/// Whether a field stands in its stanza for the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    First,
    Again,
}

#[derive(Default)]
struct Stanza {
    line: u32,
    package: Option<String>,
    status: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    source: Option<String>,
    is_begun: bool,
}

fn read(bytes: &[u8], kind: Kind, builder: &mut Builder) -> Result<(), ReadError> {
    let format = builder.format.name();
    let scope = builder.options.scope.clone();
    let scope =
        scope.filter(|scope| matches!(scope.ecosystem, Ecosystem::Debian | Ecosystem::Ubuntu));
    let Some(scope) = scope else {
        return Err(ReadError::Release { format });
    };
    // Names of people in old stanzas may be of any encoding; names of packages are ASCII.
    let text = String::from_utf8_lossy(bytes);
    let mut stanza = Stanza::default();
    let mut any = false;
    for (at, line) in lines(&text) {
        if line.trim().is_empty() {
            stanza.finish(kind, &scope, builder)?;
            stanza = Stanza::default();
            continue;
        }
        if line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((field, value)) = line.split_once(':') else {
            builder.gap(at, Why::Malformed, line, "a line without a field");
            continue;
        };
        any |= field == "Package";
        if stanza.take(at, field, value.trim()) == Field::Again {
            let message = format!("the field `{field}` stands in a stanza twice: the last counts");
            builder.gap(at, Why::Conflict, value.trim(), message);
        }
    }
    stanza.finish(kind, &scope, builder)?;
    if any || text.trim().is_empty() {
        return Ok(());
    }
    builder.shape(1, "no line begins with `Package:`")
}

impl Stanza {
    fn take(&mut self, at: u32, field: &str, value: &str) -> Field {
        if !self.is_begun {
            (self.is_begun, self.line) = (true, at);
        }
        if field == "Package" {
            self.line = at;
        }
        let place = match field {
            "Package" => &mut self.package,
            "Status" => &mut self.status,
            "Version" => &mut self.version,
            "Architecture" => &mut self.architecture,
            "Source" => &mut self.source,
            _ => return Field::First,
        };
        match place.replace(value.to_owned()) {
            Some(_) => Field::Again,
            None => Field::First,
        }
    }

    fn finish(&self, kind: Kind, scope: &Scope, builder: &mut Builder) -> Result<(), ReadError> {
        if !self.is_begun {
            return Ok(());
        }
        let Some(name) = &self.package else {
            builder.gap(
                self.line,
                Why::Malformed,
                "stanza",
                "a stanza has no `Package`",
            );
            return Ok(());
        };
        match (self.state(), kind) {
            (Some(state), _) => match state {
                // dpkg(1), "Package states": of these the files are there.
                "installed" | "unpacked" | "half-configured" | "triggers-awaited"
                | "triggers-pending" => {}
                "half-installed" => {
                    let message = "half installed: some of its files may be there";
                    builder.gap(self.line, Why::Conflict, name, message);
                    if self.version().is_empty() {
                        return Ok(());
                    }
                }
                "config-files" | "not-installed" => return Ok(()),
                other => {
                    let message = format!("in the state `{}`, which is not known", said(other));
                    builder.gap(self.line, Why::Malformed, name, message);
                }
            },
            (None, Kind::StatusD) => {}
            (None, Kind::Status) => {
                builder.gap(self.line, Why::Malformed, name, "it has no state");
            }
        }
        let (source, version) = self.source();
        let draft = Draft::within(scope.clone(), name, self.version(), self.line)
            .source(source, version)
            .architecture(self.architecture.as_deref());
        builder.package(draft)
    }

    fn version(&self) -> &str {
        self.version.as_deref().unwrap_or_default()
    }

    /// The last word of `want flag status`.
    fn state(&self) -> Option<&str> {
        self.status
            .as_deref()
            .and_then(|text| text.split_ascii_whitespace().nth(2))
    }

    /// `Source: name (version)`; where something is missing it is the package's own.
    fn source(&self) -> (&str, &str) {
        let own = self.package.as_deref().unwrap_or_default();
        let Some(source) = self.source.as_deref() else {
            return (own, self.version());
        };
        let (name, rest) = source.split_once('(').unwrap_or((source, ""));
        let version = rest.trim_end().strip_suffix(')').map(str::trim);
        (name.trim(), version.unwrap_or_else(|| self.version()))
    }
}
