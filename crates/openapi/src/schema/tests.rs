mod measure;
mod rules;
mod suite;

use super::*;
use crate::source::{At, Findings};
use crate::tree::{self, Arena};
use crate::{Finding, Options, Violations};

/// A schema on its own, compiled.
struct Alone {
    schemas: Schemas,
    id: Id,
}

impl Alone {
    fn compile(text: &str, options: &Options) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        Self::of(text, Dialect::V31, options)
    }

    fn of(
        text: &str,
        dialect: Dialect,
        options: &Options,
    ) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
        let mut findings = Findings::new(options.limits.findings);
        let Some(root) = crate::source::read(text, &options.limits, &mut findings) else {
            return Err(findings.finish());
        };
        let at = At::root(&root);
        let mut compiler = Compiler::new(at.clone(), dialect, options);
        compiler.scan(&at, &mut findings);
        let id = compiler.schema(&at);
        let schemas = compiler.finish(&mut findings);
        if findings.has_errors() {
            return Err(findings.finish());
        }
        Ok((Self { schemas, id }, findings.finish()))
    }

    fn check(&self, json: &str, direction: Direction, out: &mut Violations) -> bool {
        let mut arena = Arena::default();
        let text = tree::read(&mut arena, json.as_bytes(), 200, 1 << 20)
            .unwrap_or_else(|e| panic!("{json}: {e:?}"));
        Check::new(
            &self.schemas,
            arena.tree(text),
            direction,
            Origin::Body,
            out,
        )
        .run(self.id)
    }
}
