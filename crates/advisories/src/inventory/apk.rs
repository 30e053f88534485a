//! The installed database of apk (the Alpine wiki, "Apk spec"): stanzas of one-letter fields.

use super::{Builder, Draft, ReadError, Why};
use crate::text::lines;
use crate::{Ecosystem, Scope};

#[derive(Default)]
struct Stanza<'a> {
    line: u32,
    name: Option<&'a str>,
    version: Option<&'a str>,
    origin: Option<&'a str>,
    architecture: Option<&'a str>,
    is_begun: bool,
}

pub(super) fn read(bytes: &[u8], builder: &mut Builder) -> Result<(), ReadError> {
    let format = builder.format.name();
    let scope = builder.options.scope.clone();
    let Some(scope) = scope.filter(|scope| scope.ecosystem == Ecosystem::Alpine) else {
        return Err(ReadError::Release { format });
    };
    let text = String::from_utf8_lossy(bytes);
    let mut stanza = Stanza::default();
    let mut any = false;
    for (at, line) in lines(&text) {
        if line.is_empty() {
            stanza.finish(&scope, builder)?;
            stanza = Stanza::default();
            continue;
        }
        if !stanza.is_begun {
            (stanza.is_begun, stanza.line) = (true, at);
        }
        match line.split_once(':') {
            Some(("P", name)) => {
                any = true;
                if let Some(before) = stanza.name {
                    let message = "another name stands in the same stanza, which counts";
                    builder.gap(at, Why::Conflict, before, message);
                }
                (stanza.name, stanza.line) = (Some(name), at);
            }
            Some(("V", version)) => stanza.version = Some(version),
            Some(("o", origin)) => stanza.origin = Some(origin),
            Some(("A", architecture)) => stanza.architecture = Some(architecture),
            // `F:`, `R:` and their kin are files.
            _ => {}
        }
    }
    stanza.finish(&scope, builder)?;
    if any || text.trim().is_empty() {
        return Ok(());
    }
    builder.shape(1, "no line begins with `P:`")
}

impl Stanza<'_> {
    fn finish(&self, scope: &Scope, builder: &mut Builder) -> Result<(), ReadError> {
        if !self.is_begun {
            return Ok(());
        }
        let Some(name) = self.name else {
            builder.gap(
                self.line,
                Why::Malformed,
                "stanza",
                "a stanza has no name (`P:`)",
            );
            return Ok(());
        };
        let version = self.version.unwrap_or_default();
        let draft = Draft::within(scope.clone(), name, version, self.line)
            .source(self.origin.unwrap_or(name), version)
            .architecture(self.architecture);
        builder.package(draft)
    }
}
