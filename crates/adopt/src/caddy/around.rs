//! What holds around a directive of a site: its hosts, its paths, its guards.

use super::matcher::Matcher;
use crate::draft::Guard;
use crate::path;

/// What holds around a directive.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) hosts: Vec<Option<String>>,
    pub(super) wildcards: Vec<String>,
    /// The paths that come here.
    pub(super) pattern: String,
    /// What is taken off.
    pub(super) strip: Option<String>,
    pub(super) guard: Guard,
    pub(super) body_max: Option<u64>,
    pub(super) security_headers: bool,
}

impl Around {
    pub(super) fn new(hosts: Vec<Option<String>>, wildcards: Vec<String>) -> Self {
        Self {
            hosts,
            wildcards,
            pattern: "/**".to_owned(),
            strip: None,
            guard: Guard::Open,
            body_max: None,
            security_headers: false,
        }
    }

    /// What comes to a directive with this matcher: one for each of its paths.
    pub(super) fn narrowed(&self, matcher: &Matcher) -> Vec<Self> {
        let mut hosts = self.clone();
        if !matcher.hosts.is_empty() {
            let below = |host: &str| {
                self.wildcards.iter().any(|wildcard| {
                    let parent = wildcard.strip_prefix("*.");
                    host.split_once('.').map(|(_, rest)| rest) == parent
                })
            };
            let known = |host: &String| {
                self.hosts
                    .iter()
                    .any(|own| own.as_ref().is_none_or(|own| own == host))
                    || below(host)
            };
            hosts.hosts = matcher
                .hosts
                .iter()
                .filter(|host| known(host))
                .map(|host| Some(host.clone()))
                .collect();
            hosts.wildcards.clear();
        }
        if matcher.paths.is_empty() {
            return vec![hosts];
        }
        let mut all = Vec::new();
        for inner in &matcher.paths {
            // Paths within are what is left after the prefix was taken off.
            let inner = match &self.strip {
                Some(strip) if inner == "/**" => format!("{strip}/**"),
                Some(strip) if inner == "/" => strip.clone(),
                Some(strip) => format!("{strip}{inner}"),
                None => inner.clone(),
            };
            let pattern = if path::covers(&self.pattern, &inner) {
                inner
            } else if path::covers(&inner, &self.pattern) {
                self.pattern.clone()
            } else {
                continue;
            };
            all.push(Self {
                pattern,
                ..hosts.clone()
            });
        }
        all
    }
}
