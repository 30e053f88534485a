//! Advisories that tell of one vulnerability become one finding.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Cause, Decision, Finding, Informational, Policy, Standing};
use crate::Rating;
use crate::feed::Told;

/// An advisory that takes a package in.
#[derive(Debug, Clone)]
pub(super) struct Hit<'i> {
    pub(super) told: Told<'i>,
    pub(super) decision: Decision,
}

/// The findings of one package: hits that share a name are one. The most severe come first.
pub(super) fn findings(hits: Vec<Hit<'_>>, policy: &Policy) -> Vec<Finding> {
    let mut groups: BTreeMap<usize, Vec<Hit<'_>>> = BTreeMap::new();
    for (root, hit) in roots(&hits).into_iter().zip(hits) {
        groups.entry(root).or_default().push(hit);
    }
    let made = groups.into_values().map(|group| finding(group, policy));
    let mut findings: Vec<Finding> = made.collect();
    findings.sort_by(|a, b| {
        let weight = |one: &Finding| (one.rating, one.score_tenths);
        weight(b).cmp(&weight(a)).then_with(|| a.name.cmp(&b.name))
    });
    findings
}

/// For each hit the first that it shares a name with, be it through others.
fn roots(hits: &[Hit<'_>]) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..hits.len()).collect();
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for (at, hit) in hits.iter().enumerate() {
        for name in std::iter::once(hit.told.id).chain(hit.told.aliases()) {
            let other = *holders.entry(name).or_insert(at);
            join(&mut parents, at, other);
        }
    }
    (0..hits.len()).map(|at| root(&mut parents, at)).collect()
}

fn root(parents: &mut [usize], at: usize) -> usize {
    let mut top = at;
    while let Some(parent) = parents.get(top).copied()
        && parent != top
    {
        // Each step halves the way for the next who comes.
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(top) {
            *slot = above;
        }
        top = above;
    }
    top
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(parents, a), root(parents, b));
    // The earlier stays, so that the order of the advisories decides nothing else.
    if let Some(slot) = parents.get_mut(a.max(b)) {
        *slot = a.min(b);
    }
}

fn finding(group: Vec<Hit<'_>>, policy: &Policy) -> Finding {
    let mut names: Vec<String> = group
        .iter()
        .flat_map(|hit| std::iter::once(hit.told.id).chain(hit.told.aliases()))
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    let cve = names.iter().find(|name| name.starts_with("CVE-"));
    let first = group.first().map_or("", |hit| hit.told.id);
    let name = cve.map_or(first, |name| name).to_owned();
    let score_tenths = group.iter().filter_map(|hit| hit.told.score_tenths).max();
    let word = group.iter().filter_map(|hit| hit.told.rating).max();
    // One advisory that tells of a vulnerability makes it one.
    let notes: Option<Vec<&str>> = group.iter().map(|hit| hit.told.informational).collect();
    let informational = notes.and_then(|notes| notes.first().map(|note| (*note).to_owned()));
    let noted = informational.is_some() && policy.informational == Informational::Note;
    // Two feeds may hold one advisory.
    let mut causes: Vec<Cause> = Vec::with_capacity(group.len());
    let mut told = HashSet::new();
    for hit in group {
        if told.insert(hit.told.id) {
            causes.push(Cause {
                id: hit.told.id.to_owned(),
                summary: hit.told.summary.to_owned(),
                decision: hit.decision,
            });
        }
    }
    Finding {
        name,
        names,
        score_tenths,
        rating: score_tenths.and_then(Rating::of).or(word),
        informational,
        fixed: None,
        standing: if noted {
            Standing::Noted
        } else {
            Standing::Counts
        },
        remark: None,
        causes,
    }
}
