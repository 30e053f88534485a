//! A router's rule of Traefik: ``Host(`a`) && (PathPrefix(`/x`) || Path(`/y`))``.

use crate::address;
use crate::path;

/// LIMIT: parentheses within parentheses.
const DEPTH_MAX: usize = 16;
/// LIMIT: ways in which a rule can hold.
const WAYS_MAX: usize = 64;

/// One way in which a rule holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) hosts: Vec<String>,
    pub(super) patterns: Vec<String>,
    /// What a route cannot say.
    pub(super) beyond: Vec<String>,
    /// Whether a prefix may end within a segment.
    pub(super) narrower: bool,
}

/// The ways of a rule; nothing where it is none.
pub(super) fn parse(text: &str) -> Option<Vec<Way>> {
    let mut parser = Parser {
        rest: text.trim_start(),
        depth: 0,
    };
    let ways = parser.any()?;
    parser.rest.is_empty().then_some(ways)
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn take(&mut self, mark: &str) -> bool {
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> Option<Vec<Way>> {
        let mut ways = self.all()?;
        while self.take("||") {
            ways.extend(self.all()?);
            if ways.len() > WAYS_MAX {
                return None;
            }
        }
        Some(ways)
    }

    fn all(&mut self) -> Option<Vec<Way>> {
        let mut ways = self.one()?;
        while self.take("&&") {
            let more = self.one()?;
            let mut both = Vec::new();
            for a in &ways {
                for b in &more {
                    both.push(a.and(b));
                }
            }
            if both.len() > WAYS_MAX {
                return None;
            }
            ways = both;
        }
        Some(ways)
    }

    fn one(&mut self) -> Option<Vec<Way>> {
        if self.depth > DEPTH_MAX {
            return None;
        }
        if self.take("!") {
            self.depth += 1;
            self.one()?;
            self.depth -= 1;
            let beyond = vec!["a negation".to_owned()];
            return Some(vec![Way {
                beyond,
                ..Way::default()
            }]);
        }
        if self.take("(") {
            self.depth += 1;
            let ways = self.any()?;
            self.depth -= 1;
            return self.take(")").then_some(ways);
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric())?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        if name.is_empty() || !self.take("(") {
            return None;
        }
        let mut args = Vec::new();
        while !self.take(")") {
            args.push(self.text()?);
            self.take(",");
            if args.len() > WAYS_MAX {
                return None;
            }
        }
        Some(vec![function(name, &args)])
    }

    fn text(&mut self) -> Option<&'t str> {
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|c| matches!(c, '`' | '"' | '\''))?;
        let inside = self.rest.strip_prefix(quote)?;
        let (text, rest) = inside.split_once(quote)?;
        self.rest = rest.trim_start();
        Some(text)
    }
}

fn function(name: &str, args: &[&str]) -> Way {
    let mut way = Way::default();
    for arg in args {
        let known = match name {
            "Host" => address::host(arg).map(|host| way.hosts.push(host)),
            "PathPrefix" => {
                way.narrower |= !arg.ends_with('/');
                path::below(arg).map(|pattern| way.patterns.push(pattern))
            }
            "Path" => path::exact(arg).map(|pattern| way.patterns.push(pattern)),
            _ => None,
        };
        if known.is_none() {
            way.beyond.push(format!("{name}({arg})"));
        }
    }
    if args.is_empty() {
        way.beyond.push(format!("{name}()"));
    }
    way
}

impl Way {
    fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.narrower |= other.narrower;
        both.beyond.extend(other.beyond.iter().cloned());
        if both.hosts.is_empty() {
            both.hosts.clone_from(&other.hosts);
        } else if !other.hosts.is_empty() {
            both.hosts.retain(|host| other.hosts.contains(host));
            if both.hosts.is_empty() {
                both.beyond.push("two hosts at once".to_owned());
            }
        }
        if both.patterns.is_empty() {
            both.patterns.clone_from(&other.patterns);
        } else if !other.patterns.is_empty() {
            // Of two patterns the narrower one holds, where one covers the other.
            let mut patterns = Vec::new();
            for a in &self.patterns {
                for b in &other.patterns {
                    if path::covers(a, b) {
                        patterns.push(b.clone());
                    } else if path::covers(b, a) {
                        patterns.push(a.clone());
                    }
                }
            }
            if patterns.is_empty() {
                both.beyond.push("two paths at once".to_owned());
            }
            both.patterns = patterns;
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_ways_of_hosts_and_paths() {
        let shown = |text: &str| {
            parse(text).map(|ways| {
                let one = |way: &Way| {
                    format!("{:?} {:?} {:?}", way.hosts, way.patterns, way.beyond).replace('"', "")
                };
                ways.iter().map(one).collect::<Vec<_>>().join(" | ")
            })
        };
        for (text, expected) in [
            ("Host(`a.example`)", Some("[a.example] [] []")),
            (
                "Host(`a.example`, `b.example`)",
                Some("[a.example, b.example] [] []"),
            ),
            (
                "Host(`a.example`) && PathPrefix(`/x`)",
                Some("[a.example] [/x/**] []"),
            ),
            (
                "(Host(`a.example`) || Host(`b.example`)) && (Path(`/y`))",
                Some("[a.example] [/y] [] | [b.example] [/y] []"),
            ),
            (
                "PathPrefix(`/x`) && PathPrefix(`/x/y`)",
                Some("[] [/x/y/**] []"),
            ),
            (
                "PathPrefix(`/x`) && Path(`/z`)",
                Some("[] [] [two paths at once]"),
            ),
            ("!Host(`a.example`)", Some("[] [] [a negation]")),
            ("HostRegexp(`.*`)", Some("[] [] [HostRegexp(.*)]")),
            ("Host(`a.example`) &&", None),
            ("Host(`a.example", None),
            ("Host", None),
            ("", None),
        ] {
            assert_eq!(shown(text).as_deref(), expected, "{text}");
        }
        assert_eq!(parse(&"(".repeat(1_000)), None);
        assert_eq!(parse(&"!".repeat(1_000)), None);
    }
}
