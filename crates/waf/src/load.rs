//! Loading a set of rules, and everything that is to be said about it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use estate::{RuleSource, Tuning, Waf};
use model::Span;
use seclang::{Error, Leniency, Loaded, Loader, Ruleset, Weight};

use crate::files::{Source, Texts};
use crate::shelf::Shelf;
use crate::{exclusions, own};

/// Something about the rules that the author of the estate should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the estate cannot be applied with it.
    pub is_error: bool,
    /// The file of rules, and the line there; none for what the estate says itself.
    pub place: Option<(String, usize)>,
    /// Where in the estate, when it is about an exclusion.
    pub span: Option<Span>,
    /// What is the matter.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some((file, line)) => write!(f, "{file}:{line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// Everything that a set of rules is loaded from, in the order it is read.
#[derive(Debug)]
pub(crate) struct Whole<'t> {
    texts: Vec<(String, Cow<'t, [u8]>)>,
    files: Texts<'t>,
}

/// A set of rules, and what is to be said about it.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) rules: Arc<Ruleset>,
    pub(crate) findings: Arc<[Finding]>,
    /// Places of exclusions whose rule is not there.
    pub(crate) unknown: Arc<[usize]>,
}

impl<'t> Whole<'t> {
    /// What the rules of `waf` are loaded from, as strictly as `tuning` says.
    ///
    /// # Errors
    /// Every finding, when there are no rules.
    pub(crate) fn of(
        waf: &Waf,
        tuning: &Tuning,
        texts: &'t BTreeMap<String, String>,
    ) -> Result<Self, Vec<Finding>> {
        let sources = sources(&waf.rules, texts)?;
        let (mut settings, mut rules) = (Vec::new(), Vec::new());
        for source in sources {
            settings.extend(source.settings);
            rules.extend(source.rules);
        }
        let borrowed = |(name, text): (String, &'t [u8])| (name, Cow::Borrowed(text));
        let own = |name: &str, text: String| (name.to_owned(), Cow::Owned(text.into_bytes()));
        let mut all = vec![own("rampart (before the rules)", own::BEFORE.to_owned())];
        all.extend(settings.into_iter().map(borrowed));
        all.push(own("rampart (the estate)", own::tuned(tuning)));
        let except = exclusions::text(&waf.exclusions);
        all.push(own("rampart (exclusions)", except));
        all.extend(rules.into_iter().map(borrowed));
        all.push(own("rampart (after the rules)", own::after()));
        Ok(Self {
            texts: all,
            files: Texts::of(&waf.rules, texts),
        })
    }

    /// SHA-256 of all of it.
    ///
    /// INVARIANT: two with the same digest load the same rules and say the same. Each name and text
    /// is hashed with its length, so that no list can be read in two ways.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        let mut add = |bytes: &[u8]| {
            context.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
            context.update(bytes);
        };
        for (name, text) in &self.texts {
            add(name.as_bytes());
            add(text);
        }
        // What comes now is no more of the same.
        add(b"");
        for (path, text) in &self.files.0 {
            add(path.as_bytes());
            add(text.as_bytes());
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }

    /// Loads it: up to a second.
    ///
    /// # Errors
    /// Every finding, when one of them is an error.
    pub(crate) fn load(&self, waf: &Waf) -> Result<Ready, Vec<Finding>> {
        let mut loader = Loader::new(&self.files, Leniency::Strict);
        for (name, text) in &self.texts {
            loader.text(name, text);
        }
        match loader.finish() {
            Ok(Loaded { rules, findings }) => Ok(Ready {
                unknown: unknown(waf, &rules),
                rules: Arc::new(rules),
                findings: findings.iter().map(finding).collect(),
            }),
            Err(Error::Rules { findings }) => Err(findings.iter().map(finding).collect()),
            Err(error) => Err(vec![error_of(error.to_string(), "")]),
        }
    }
}

fn sources<'t>(
    rules: &[RuleSource],
    texts: &'t BTreeMap<String, String>,
) -> Result<Vec<Source<'t>>, Vec<Finding>> {
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for one in rules {
        let source = match one {
            RuleSource::Folder(folder) => Source::folder(folder, texts),
            RuleSource::Builtin => {
                let files = wafrules::files().iter();
                Source::of(files.map(|(name, text)| ((*name).to_owned(), *text)))
            }
        };
        if source.rules.is_empty() {
            let name = String::from(one.clone());
            errors.push(error_of(
                format!("`{name}` holds no rules"),
                "a folder of rules has `rules/*.conf`, or `*.conf` itself; it goes to the server \
                 together with the estate",
            ));
        }
        sources.push(source);
    }
    if errors.is_empty() {
        Ok(sources)
    } else {
        Err(errors)
    }
}

fn error_of(message: String, hint: &str) -> Finding {
    Finding {
        is_error: true,
        place: None,
        span: None,
        message,
        hint: hint.to_owned(),
    }
}

fn finding(one: &seclang::Finding) -> Finding {
    Finding {
        is_error: one.weight == Weight::Error,
        place: Some((
            one.place.file.to_string(),
            usize::try_from(one.place.line).unwrap_or(usize::MAX),
        )),
        span: None,
        message: one.message.clone(),
        hint: one.hint.clone(),
    }
}

/// Exclusions of rules that are not there: probably a slip, and certainly no use.
fn unknown(waf: &Waf, rules: &Ruleset) -> Arc<[usize]> {
    let known: BTreeSet<u64> = rules.rules().map(|rule| rule.id).collect();
    let all = waf.exclusions.iter().enumerate();
    let unknown = all.filter(|(_, one)| one.rule.is_some_and(|rule| !known.contains(&rule)));
    unknown.map(|(place, _)| place).collect()
}

/// What is to be said about a set of rules that can be loaded.
pub(crate) fn said(waf: &Waf, findings: &[Finding], unknown: &[usize]) -> Vec<Finding> {
    let unknown = unknown
        .iter()
        .filter_map(|place| waf.exclusions.get(*place));
    let unknown = unknown.map(|one| Finding {
        is_error: false,
        place: None,
        span: Some(one.span),
        message: format!("there is no {}", one.what()),
        hint: "take the exclusion out, or correct the id".to_owned(),
    });
    findings.iter().cloned().chain(unknown).collect()
}

/// What is to be said about the rules of an estate: they are loaded once, as `[waf]` has them, and
/// not at all where `shelf` knows them.
#[must_use]
pub fn check(waf: &Waf, texts: &BTreeMap<String, String>, shelf: &Shelf) -> Vec<Finding> {
    let said = Whole::of(waf, &waf.tuning, texts).and_then(|whole| shelf.said(waf, &whole));
    said.unwrap_or_else(|findings| findings)
}
