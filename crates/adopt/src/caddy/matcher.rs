//! Which requests a directive is for.

use std::collections::BTreeMap;

use crate::tree::Directive;
use crate::{address, path};

/// What a matcher says.
#[derive(Clone, Debug, Default)]
pub(super) struct Matcher {
    /// Patterns of paths; none stands for every path.
    pub(super) paths: Vec<String>,
    /// Hosts; none stands for those of the site.
    pub(super) hosts: Vec<String>,
    /// What is no path and no host: the estate cannot say it.
    pub(super) beyond: Vec<String>,
    /// Whether it is about addresses of clients that are *not* among some.
    pub(super) strangers: bool,
    /// Whether some path matches parts of segments, so that the route is a little narrower.
    pub(super) narrower: bool,
}

/// The matchers that a site names.
#[derive(Debug, Default)]
pub(super) struct Named<'d> {
    all: BTreeMap<&'d str, Matcher>,
}

impl<'d> Named<'d> {
    pub(super) fn of(
        list: &'d [Directive],
        outer: Option<&Self>,
        draft: &mut crate::draft::Draft,
    ) -> Self {
        let mut all = outer.map(|outer| outer.all.clone()).unwrap_or_default();
        for one in list.iter().filter(|one| one.name.starts_with('@')) {
            one.carried(&mut draft.notes);
            one.account();
            let mut matcher = Matcher::default();
            if one.block.is_some() {
                for inner in one.inside() {
                    matcher.add(&inner.name, &inner.args);
                }
            } else if let Some((name, args)) = one.args.split_first() {
                matcher.add(name, args);
            }
            all.insert(one.name.as_str(), matcher);
        }
        Self { all }
    }

    /// The matcher of a directive, and its arguments after that.
    pub(super) fn split<'a>(&self, one: &'a Directive) -> (Matcher, &'a [String]) {
        let Some((first, rest)) = one.args.split_first() else {
            return (Matcher::default(), &[]);
        };
        if let Some(named) = self.all.get(first.as_str()) {
            return (named.clone(), rest);
        }
        if first.starts_with('@') {
            let matcher = Matcher {
                beyond: vec![format!("the matcher {first}, which is not there")],
                ..Matcher::default()
            };
            return (matcher, rest);
        }
        if first == "*" {
            return (Matcher::default(), rest);
        }
        if first.starts_with('/') {
            let mut matcher = Matcher::default();
            matcher.add("path", std::slice::from_ref(first));
            return (matcher, rest);
        }
        (Matcher::default(), &one.args)
    }
}

impl Matcher {
    fn add(&mut self, name: &str, args: &[String]) {
        match name {
            "path" => {
                for arg in args {
                    match pattern(arg) {
                        Some((pattern, narrower)) => {
                            self.narrower |= narrower;
                            self.paths.push(pattern);
                        }
                        None => self.beyond.push(format!("path {arg}")),
                    }
                }
            }
            "host" => {
                for arg in args {
                    match address::host(arg) {
                        Some(host) => self.hosts.push(host),
                        None => self.beyond.push(format!("host {arg}")),
                    }
                }
            }
            "not" => {
                let about_clients = args
                    .first()
                    .is_some_and(|arg| matches!(arg.as_str(), "remote_ip" | "client_ip"));
                self.strangers |= about_clients || args.is_empty();
                self.beyond.push(format!("not {}", args.join(" ")));
            }
            // Everything is matched.
            "" | "{" => {}
            _ => self.beyond.push(format!("{name} {}", args.join(" "))),
        }
    }
}

/// `/api/*` is what is below; `/api*` is more than whole segments; `*` is everything.
fn pattern(text: &str) -> Option<(String, bool)> {
    if matches!(text, "*" | "/*") {
        return Some(("/**".to_owned(), false));
    }
    if text.contains("{") {
        return None;
    }
    if let Some(base) = text.strip_suffix("/*").filter(|base| !base.contains('*')) {
        return path::below(base).map(|pattern| (pattern, false));
    }
    if let Some(base) = text.strip_suffix('*').filter(|base| !base.contains('*')) {
        return path::below(base).map(|pattern| (pattern, true));
    }
    if text.contains('*') {
        let whole = text
            .split('/')
            .all(|part| !part.contains('*') || part == "*");
        let parses = estate::PathPattern::parse(text).is_ok() && !path::is_reserved(text);
        return (whole && parses).then(|| (text.to_owned(), false));
    }
    path::exact(text).map(|pattern| (pattern, false))
}
