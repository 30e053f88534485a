//! Schemas that are made of schemas: all of, any of, one of, none of, if and then.

use super::*;

impl<'c> Check<'c> {
    pub(super) fn logic(
        &mut self,
        rules: &'c Rules,
        logic: &'c Logic,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let mut held = true;
        if let Some(target) = logic.reference {
            held &= self.eval(target, at, seen.as_deref_mut(), mode);
        }
        if let Some(dynamic) = &logic.dynamic {
            // The outermost resource on the way here that names the anchor (core §8.2.3.2).
            let named = |resource: &u32| dynamic.by_resource.iter().find(|(of, _)| of == resource);
            let found = self.scope.iter().find_map(named);
            let target = found.map_or(dynamic.initial, |(_, target)| *target);
            held &= self.eval(target, at, seen.as_deref_mut(), mode);
        }
        for part in &logic.all_of {
            if !held && (mode == Mode::Quiet || self.stops()) {
                return false;
            }
            held &= self.eval(*part, at, seen.as_deref_mut(), mode);
        }
        if !held && mode == Mode::Quiet {
            return false;
        }
        match &logic.discriminator {
            Some(named) if self.tree.kind(at) == Kind::Object => {
                held &= self.named(rules, named, at, seen.as_deref_mut(), mode);
            }
            _ => {
                held &= logic.any_of.is_empty()
                    || self.any_of(rules, logic, at, seen.as_deref_mut(), mode);
                held &= logic.one_of.is_empty()
                    || self.one_of(rules, logic, at, seen.as_deref_mut(), mode);
            }
        }
        if let Some(not) = logic.not
            && self.eval(not, at, None, Mode::Quiet)
        {
            held = self.fail(mode, rules, Keyword::Not, || {
                "it is what it must not be".to_owned()
            });
        }
        if let Some(condition) = logic.condition {
            let mut own = Seen::default();
            let branch = if self.eval(condition, at, Some(&mut own), Mode::Quiet) {
                if let Some(seen) = seen.as_deref_mut() {
                    seen.merge(&own);
                }
                logic.then
            } else {
                logic.otherwise
            };
            if let Some(branch) = branch {
                held &= self.eval(branch, at, seen, mode);
            }
        }
        held
    }

    fn any_of(
        &mut self,
        rules: &'c Rules,
        logic: &'c Logic,
        at: u32,
        mut seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let mut matched = false;
        for part in &logic.any_of {
            let Some(seen) = seen.as_deref_mut() else {
                if self.eval(*part, at, None, Mode::Quiet) {
                    return true;
                }
                continue;
            };
            let mut own = Seen::default();
            if self.eval(*part, at, Some(&mut own), Mode::Quiet) {
                matched = true;
                seen.merge(&own);
            }
        }
        matched || self.none_of(rules, Keyword::AnyOf, &logic.any_of, at, mode)
    }

    fn one_of(
        &mut self,
        rules: &'c Rules,
        logic: &'c Logic,
        at: u32,
        seen: Option<&mut Seen>,
        mode: Mode,
    ) -> bool {
        let mut matched: Option<Seen> = None;
        let wants = seen.is_some();
        for part in &logic.one_of {
            let mut own = Seen::default();
            if !self.eval(*part, at, wants.then_some(&mut own), Mode::Quiet) {
                continue;
            }
            if matched.is_some() {
                return self.fail(mode, rules, Keyword::OneOf, || {
                    "it matches more than one alternative, and must match one".to_owned()
                });
            }
            matched = Some(own);
        }
        match (matched, seen) {
            (Some(own), Some(seen)) => seen.merge(&own),
            (Some(_), None) => {}
            (None, _) => return self.none_of(rules, Keyword::OneOf, &logic.one_of, at, mode),
        }
        true
    }

    /// Says why no alternative matched: by the only one of the value's type, where there is one.
    fn none_of(
        &mut self,
        rules: &'c Rules,
        keyword: Keyword,
        parts: &'c [Id],
        at: u32,
        mode: Mode,
    ) -> bool {
        if mode == Mode::Quiet || self.spent {
            return false;
        }
        let own = self.type_of(at);
        let schemas = self.schemas;
        let mut near = parts
            .iter()
            .filter(|part| schemas.types_of(**part).has(own));
        if let (Some(only), None) = (near.next(), near.next()) {
            return self.eval(*only, at, None, mode);
        }
        self.fail(mode, rules, keyword, || {
            format!("it matches none of {} alternatives", parts.len())
        })
    }
}
