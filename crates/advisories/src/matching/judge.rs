//! One package against every advisory about it.

use std::cmp::Ordering;
use std::time::Duration;

use model::Timestamp;

use super::group::{self, Hit};
use super::{Decision, End, Policy, Reason, Verdict};
use crate::feed::intervals::{self, Interval, Order};
use crate::feed::{About, Coverage, Mark};
use crate::names::{has_releases, normal, repository, scope, subject};
use crate::{Ecosystem, Error, Index, Origin, Package, Version};

/// LIMIT: fixes that are tried as the version to take.
const CANDIDATES_MAX: usize = 1_000;
/// LIMIT: fixes times ranges and versions that are compared to find it.
const WORK_MAX: usize = 5_000_000;
/// How much later than now a feed may have been fetched: clocks differ.
const SKEW: Duration = Duration::from_secs(10 * 60);

pub(super) fn package(
    package: &Package,
    index: &Index,
    now: Timestamp,
    policy: &Policy,
) -> Verdict {
    match &package.origin {
        Origin::Registry => registry(package, index, now, policy),
        Origin::Git { address, commit } => {
            let mut verdict = Verdict::default();
            if let Some(commit) = commit {
                verdict.findings = group::findings(commits(index, address, commit), policy);
            }
            // A commit that no advisory names has a place that only its repository knows.
            verdict.doubts.push(Reason::Origin);
            verdict
        }
        Origin::Address(_) | Origin::Path(_) => Verdict {
            doubts: vec![Reason::Origin],
            ..Verdict::default()
        },
    }
}

/// Advisories that name the very commit.
fn commits<'i>(index: &'i Index, address: &str, commit: &str) -> Vec<Hit<'i>> {
    let mut hits = Vec::new();
    for (told, mut marks) in index.commits(&repository(address)) {
        let has = |(mark, text): (Mark, &str)| {
            // `0` is the beginning of the repository, and no commit.
            let named = matches!(mark, Mark::Introduced | Mark::Last) && text != "0";
            named && text.eq_ignore_ascii_case(commit)
        };
        if marks.any(has) {
            hits.push(Hit {
                told,
                decision: Decision::Commit(commit.to_owned()),
            });
        }
    }
    hits
}

fn registry(package: &Package, index: &Index, now: Timestamp, policy: &Policy) -> Verdict {
    let mut verdict = Verdict::default();
    let scope = scope(&package.scope);
    if has_releases(scope.ecosystem) && scope.release.is_none() {
        verdict.doubts.push(Reason::NoRelease);
        return verdict;
    }
    verdict
        .doubts
        .extend(doubt(index.coverage(&scope), now, policy));
    let (subject, text) = subject(package);
    let subject = normal(scope.ecosystem, subject);
    let own = Order::Ecosystem(scope.ecosystem);
    match own.read(text) {
        Ok(version) if !version.is_certain() => verdict.doubts.push(Reason::UncertainVersion),
        Ok(_) => {}
        Err(error) => verdict.doubts.push(Reason::Version(error.to_string())),
    }
    let abouts: Vec<About<'_>> = index.about(&scope, &subject).collect();
    let mut hits = Vec::new();
    for about in &abouts {
        let Some(told) = about.told() else { continue };
        let unusable = |problem: String| Reason::Advisory {
            id: told.id.to_owned(),
            problem,
        };
        match decide(about, own, text) {
            Ok(Some(decision)) => hits.push(Hit { told, decision }),
            Ok(None) => {
                let unclear = about.unclear();
                verdict
                    .doubts
                    .extend(unclear.map(|problem| unusable(problem.to_owned())));
            }
            // That the package's own version is none was said already.
            Err(error) => verdict.doubts.push(unusable(error.to_string())),
        }
    }
    if !hits.is_empty() {
        verdict.upgrade = upgrade(&abouts, own, text);
    }
    verdict.findings = group::findings(hits, policy);
    for finding in &mut verdict.findings {
        let of_finding = |about: &&About<'_>| {
            about
                .told()
                .is_some_and(|told| finding.causes.iter().any(|cause| cause.id == told.id))
        };
        let members: Vec<About<'_>> = abouts.iter().filter(of_finding).copied().collect();
        finding.fixed = upgrade(&members, own, text);
    }
    verdict
}

fn doubt(coverage: Coverage, now: Timestamp, policy: &Policy) -> Option<Reason> {
    match coverage {
        Coverage::NoFeed => Some(Reason::NoFeed),
        Coverage::Empty => Some(Reason::EmptyFeed),
        Coverage::OtherReleases => Some(Reason::OtherReleases),
        Coverage::Since(fetched) if fetched > now.after(SKEW) => Some(Reason::FeedFromLater),
        Coverage::Since(fetched) => {
            let age = now.since(fetched);
            (age > policy.age_max).then_some(Reason::Stale {
                age,
                age_max: policy.age_max,
            })
        }
    }
}

/// What in an advisory takes the version in.
///
/// A build of a Python version (`2.0.0+cu118`) comes after it, but is it, where the version is the
/// last that is affected, or is listed (PEP 440, "Version specifiers": `<=` and `==` pass over
/// what follows `+`).
///
/// # Errors
/// [`Error::Version`] where a bound is no version, and nothing else took it in.
fn decide(about: &About<'_>, own: Order, text: &str) -> Result<Option<Decision>, Error> {
    let whole = taken_in(about, own, text, |_| true)?;
    let built = text.split_once('+').map(|(public, _)| public);
    match built.filter(|_| own == Order::Ecosystem(Ecosystem::PyPi)) {
        Some(public) if whole.is_none() => {
            let last = |interval: &Interval<'_>| matches!(interval.end, intervals::End::Last(_));
            taken_in(about, own, public, last)
        }
        _ => Ok(whole),
    }
}

fn taken_in(
    about: &About<'_>,
    own: Order,
    text: &str,
    asked: impl Fn(&Interval<'_>) -> bool,
) -> Result<Option<Decision>, Error> {
    let version = own.read(text).ok();
    if let Some(listed) = about
        .versions()
        .find(|listed| same(listed, own, text, version.as_ref()))
    {
        return Ok(Some(Decision::Listed(listed.to_owned())));
    }
    let Some(version) = version.filter(Version::is_certain) else {
        return Ok(None);
    };
    let mut failed = None;
    for (order, interval) in about.intervals().filter(|(_, one)| asked(one)) {
        match holds(&interval, order, own, text, &version) {
            Ok(true) => return Ok(Some(said(&interval))),
            Ok(false) => {}
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

fn same(listed: &str, own: Order, text: &str, version: Option<&Version<'_>>) -> bool {
    listed == text
        || version.is_some_and(|version| {
            own.read(listed)
                .and_then(|listed| version.compare(&listed))
                .is_ok_and(|order| order == Ordering::Equal)
        })
}

fn holds(
    interval: &Interval<'_>,
    order: Order,
    own: Order,
    text: &str,
    version: &Version<'_>,
) -> Result<bool, Error> {
    if order == own {
        return interval.holds(order, version);
    }
    interval.holds(order, &order.read(text)?)
}

fn said(interval: &Interval<'_>) -> Decision {
    Decision::Range {
        introduced: interval.from.map(str::to_owned),
        end: match interval.end {
            intervals::End::Open => End::Open,
            intervals::End::Fixed(version) => End::Fixed(version.to_owned()),
            intervals::End::Last(version) => End::Last(version.to_owned()),
            intervals::End::Limit(version) => End::Limit(version.to_owned()),
        },
    }
}

/// The lowest fix after the version that none of the advisories takes in.
fn upgrade(abouts: &[About<'_>], own: Order, text: &str) -> Option<String> {
    let version = own.read(text).ok()?;
    let mut fixes: Vec<Version<'_>> = Vec::new();
    for (_, interval) in abouts.iter().flat_map(About::intervals) {
        if let intervals::End::Fixed(fix) = interval.end
            && let Ok(fix) = own.read(fix)
            && version.compare(&fix) == Ok(Ordering::Less)
        {
            fixes.push(fix);
        }
    }
    fixes.sort_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
    fixes.dedup_by(|a, b| a.compare(b) == Ok(Ordering::Equal));
    let clean = |fix: &&Version<'_>| {
        let mut all = abouts.iter();
        all.all(|about| about.unclear().is_none() && decide(about, own, fix.text()) == Ok(None))
    };
    let each = abouts.iter().map(|about| {
        let ranges = about.intervals().count();
        ranges.saturating_add(about.versions().count())
    });
    let each = each.fold(1_usize, usize::saturating_add);
    let tries = (WORK_MAX / each).min(CANDIDATES_MAX);
    let found = fixes.iter().take(tries).find(clean)?;
    Some(found.text().to_owned())
}
