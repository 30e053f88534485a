//! Named strings of a JSON text, found without building a tree, so that everything else stays byte
//! for byte.

use std::ops::Range;

use estate::{JsonStep, Keep};
use serde::de::IgnoredAny;

use super::{Cleaner, Splices, Unclean, strictest};

/// LIMIT: arrays and objects within each other.
const DEPTH_MAX: usize = 64;

/// An array or object that is being read, and which rules lead into it.
struct Level {
    rules: u32,
    kind: Kind,
}

enum Kind {
    Object,
    /// How many items were begun.
    Array(u32),
}

pub(super) fn clean(cleaner: &Cleaner, body: &[u8]) -> Result<Splices, Unclean> {
    // The text is JSON (RFC 8259) from its first byte to its last; below it only has to be read.
    serde_json::from_slice::<IgnoredAny>(body).map_err(|_| Unclean::Malformed)?;
    let text = std::str::from_utf8(body).map_err(|_| Unclean::Malformed)?;
    let mut walk = Walk {
        cleaner,
        text,
        at: 0,
        levels: Vec::new(),
        splices: Splices::default(),
    };
    walk.run()?;
    Ok(walk.splices)
}

struct Walk<'a> {
    cleaner: &'a Cleaner,
    text: &'a str,
    at: usize,
    levels: Vec<Level>,
    splices: Splices,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<(), Unclean> {
        // LIMIT: the estate allows 32 fields, so that their rules fit into 32 bits.
        let mut rules = u32::MAX;
        loop {
            self.value(rules)?;
            // Close what ends here, and come to the next value.
            loop {
                if self.levels.is_empty() {
                    return Ok(());
                }
                skip(self.text, &mut self.at);
                match byte(self.text, self.at) {
                    b']' | b'}' => {
                        self.levels.pop();
                        self.at += 1;
                        continue;
                    }
                    b',' => self.at += 1,
                    _ => {}
                }
                skip(self.text, &mut self.at);
                let depth = self.levels.len().saturating_sub(1);
                rules = match self.levels.last_mut() {
                    Some(Level {
                        rules,
                        kind: Kind::Array(count),
                    }) => {
                        let index = *count;
                        *count = count.saturating_add(1);
                        below(self.cleaner, *rules, depth, |step| match step {
                            JsonStep::Item(wanted) => *wanted == index,
                            JsonStep::Every => true,
                            JsonStep::Member(_) => false,
                        })
                    }
                    Some(Level {
                        rules,
                        kind: Kind::Object,
                    }) => {
                        let rules = *rules;
                        let name = self.string()?;
                        let name = decoded(self.text, &name)?;
                        skip(self.text, &mut self.at);
                        self.at += 1;
                        below(self.cleaner, rules, depth, |step| match step {
                            JsonStep::Member(wanted) => *wanted == name,
                            JsonStep::Every => true,
                            JsonStep::Item(_) => false,
                        })
                    }
                    None => return Ok(()),
                };
                break;
            }
        }
    }

    /// Reads a value, or the beginning of one that holds others.
    fn value(&mut self, rules: u32) -> Result<(), Unclean> {
        skip(self.text, &mut self.at);
        match byte(self.text, self.at) {
            b'"' => {
                let range = self.string()?;
                match self.keep(rules) {
                    Some(keep) => self.field(range, keep),
                    None => Ok(()),
                }
            }
            b'{' => self.open(rules, Kind::Object),
            b'[' => self.open(rules, Kind::Array(0)),
            _ => {
                let rest = self.text.get(self.at..).unwrap_or("");
                let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']);
                self.at += end.unwrap_or(rest.len());
                Ok(())
            }
        }
    }

    fn open(&mut self, rules: u32, kind: Kind) -> Result<(), Unclean> {
        if self.levels.len() == DEPTH_MAX {
            return Err(Unclean::Malformed);
        }
        self.at += 1;
        self.levels.push(Level { rules, kind });
        Ok(())
    }

    /// What stays of a string that stands here, when a rule ends here.
    fn keep(&self, rules: u32) -> Option<Keep> {
        let depth = self.levels.len();
        let all = self.cleaner.json.iter().enumerate();
        let here = all.filter(|(at, (steps, _))| rules & bit(*at) != 0 && steps.len() == depth);
        strictest(here.map(|(_, (_, keep))| *keep))
    }

    fn field(&mut self, range: Range<usize>, keep: Keep) -> Result<(), Unclean> {
        let value = decoded(self.text, &range)?;
        let cleaned = self.cleaner.value(keep, &value, &mut self.splices)?;
        if let Some(cleaned) = cleaned {
            let written = serde_json::to_vec(&cleaned).map_err(|_| Unclean::Malformed)?;
            self.splices.push(range, written);
        }
        Ok(())
    }

    /// Reads a string; its range, quotes included.
    fn string(&mut self) -> Result<Range<usize>, Unclean> {
        let start = self.at;
        let bytes = self.text.as_bytes().get(start..).unwrap_or_default();
        let mut escaped = true;
        for (length, byte) in bytes.iter().enumerate() {
            match byte {
                // The quote it begins with counts as escaped.
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at = start + length + 1;
                    return Ok(start..self.at);
                }
                _ => {}
            }
        }
        Err(Unclean::Malformed)
    }
}

/// Those of `rules` whose next step leads to the value that comes.
fn below(cleaner: &Cleaner, rules: u32, depth: usize, leads: impl Fn(&JsonStep) -> bool) -> u32 {
    let all = cleaner.json.iter().enumerate();
    all.filter(|(at, (steps, _))| rules & bit(*at) != 0 && steps.get(depth).is_some_and(&leads))
        .fold(0, |sum, (at, _)| sum | bit(at))
}

fn bit(at: usize) -> u32 {
    u32::try_from(at)
        .ok()
        .and_then(|at| 1_u32.checked_shl(at))
        .unwrap_or(0)
}

fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

fn skip(text: &str, at: &mut usize) {
    while matches!(byte(text, *at), b' ' | b'\t' | b'\n' | b'\r') {
        *at += 1;
    }
}

fn decoded(text: &str, range: &Range<usize>) -> Result<String, Unclean> {
    let quoted = text.get(range.clone()).ok_or(Unclean::Malformed)?;
    // A lone surrogate is no character (RFC 8259 §8.2), and the library refuses it.
    serde_json::from_str(quoted).map_err(|_| Unclean::Malformed)
}
