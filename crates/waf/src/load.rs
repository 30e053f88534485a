//! Loading a set of rules, and everything that is to be said about it.

use std::collections::{BTreeMap, BTreeSet};

use estate::{RuleSource, Tuning, Waf};
use model::Span;
use seclang::{Error, Leniency, Loaded, Loader, Ruleset, Weight};

use crate::files::{Source, Texts};
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

/// Loads the rules of `waf` as strictly as `tuning` says.
///
/// # Errors
/// Every finding, when one of them is an error.
pub(crate) fn load(
    waf: &Waf,
    tuning: &Tuning,
    texts: &BTreeMap<String, String>,
) -> Result<(Ruleset, Vec<Finding>), Vec<Finding>> {
    let sources = sources(&waf.rules, texts)?;
    let files = Texts(texts);
    let mut loader = Loader::new(&files, Leniency::Strict);
    loader.text("rampart (before the rules)", own::BEFORE.as_bytes());
    for (name, text) in sources.iter().flat_map(|source| &source.settings) {
        loader.text(name, text);
    }
    loader.text("rampart (the estate)", own::tuned(tuning).as_bytes());
    let except = exclusions::text(&waf.exclusions);
    loader.text("rampart (exclusions)", except.as_bytes());
    for (name, text) in sources.iter().flat_map(|source| &source.rules) {
        loader.text(name, text);
    }
    loader.text("rampart (after the rules)", own::after(waf).as_bytes());
    match loader.finish() {
        Ok(Loaded { rules, findings }) => {
            let mut told: Vec<Finding> = findings.iter().map(finding).collect();
            told.extend(unknown(waf, &rules));
            Ok((rules, told))
        }
        Err(Error::Rules { findings }) => Err(findings.iter().map(finding).collect()),
        Err(error) => Err(vec![error_of(error.to_string(), "")]),
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
fn unknown(waf: &Waf, rules: &Ruleset) -> Vec<Finding> {
    let known: BTreeSet<u64> = rules.rules().map(|rule| rule.id).collect();
    let all = waf.exclusions.iter();
    let unknown = all.filter(|one| one.rule.is_some_and(|rule| !known.contains(&rule)));
    unknown
        .map(|one| Finding {
            is_error: false,
            place: None,
            span: Some(one.span),
            message: format!("there is no {}", one.what()),
            hint: "take the exclusion out, or correct the id".to_owned(),
        })
        .collect()
}

/// What is to be said about the rules of an estate: they are loaded once, as `[waf]` has them.
#[must_use]
pub fn check(waf: &Waf, texts: &BTreeMap<String, String>) -> Vec<Finding> {
    match load(waf, &waf.tuning, texts) {
        Ok((_, findings)) | Err(findings) => findings,
    }
}
