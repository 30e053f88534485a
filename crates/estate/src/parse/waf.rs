//! `[waf]` and its exclusions; what routes say of it.

use std::collections::BTreeSet;

use ::model::{Diagnostic, Span};

use super::names::entries;
use super::settings::section;
use crate::fields::{EXCLUSION, MODE, ROUTE_WAF};
use crate::findings::Findings;
use crate::model::{Estate, Mode};
use crate::read::{Placed, Reader, plain};
use crate::waf::{
    Exclusion, RouteWaf, RuleSource, TUNINGS_MAX, Tuning, Waf, WhenSpent, of_parameter,
};
use crate::{suggest, values};

pub(super) fn waf(findings: &mut Findings, root: &Reader<'_>) -> Option<Waf> {
    if !root.has("waf") {
        return None;
    }
    let table = section(root, "waf")?;
    let rules = table.list("rules", values::rules);
    check_sources(findings, &table, &rules);
    let exclusions = table
        .each("exclusion", &EXCLUSION)
        .iter()
        .filter_map(|one| exclusion(findings, one))
        .collect();
    Some(Waf {
        rules: rules.into_iter().map(|one| one.value).collect(),
        mode: super::routes::mode(table.text("mode")?)?,
        tuning: tuning(&table, Tuning::default()),
        budget: table.size("budget")?,
        when_spent: when_spent(&table)?,
        answers: table.bool("answers")?,
        exclusions,
    })
}

fn check_sources(findings: &mut Findings, table: &Reader<'_>, rules: &[Placed<RuleSource>]) {
    let written = table.node("rules");
    if written.is_some_and(|node| node.items().is_some_and(|items| items.is_empty())) {
        let message = "`rules` is empty, so there are none".to_owned();
        let finding = Diagnostic::error("estate.contradiction", table.span_of("rules"), message);
        findings.push(finding.hint("name a folder of rules, or leave `[waf]` out"));
    }
    let mut seen = BTreeSet::new();
    for one in rules {
        if !seen.insert(&one.value) {
            let message = format!("`{}` is named twice", String::from(one.value.clone()));
            let finding = Diagnostic::error("estate.duplicate", one.span, message);
            findings.push(finding.hint("name each folder once"));
        }
    }
}

fn when_spent(table: &Reader<'_>) -> Option<WhenSpent> {
    match table.text("when_spent")? {
        "block" => Some(WhenSpent::Block),
        "pass" => Some(WhenSpent::Pass),
        _ => None,
    }
}

fn tuning(table: &Reader<'_>, shared: Tuning) -> Tuning {
    Tuning {
        paranoia: table.count("paranoia").or(shared.paranoia),
        inbound_threshold: table
            .count("inbound_threshold")
            .or(shared.inbound_threshold),
        outbound_threshold: table
            .count("outbound_threshold")
            .or(shared.outbound_threshold),
    }
}

fn exclusion(findings: &mut Findings, table: &Reader<'_>) -> Option<Exclusion> {
    let (rule, tag) = (table.has("rule"), table.has("tag"));
    if rule == tag {
        let message = if rule {
            "an exclusion names either a `rule` or a `tag`".to_owned()
        } else {
            "the exclusion names no rule".to_owned()
        };
        let finding = Diagnostic::error("estate.contradiction", table.span, message);
        findings.push(finding.hint("give it one of `rule = 942100` and `tag = \"attack-sqli\"`"));
        return None;
    }
    if table.has("parameter") && table.has("target") {
        let message = "`parameter` and `target` say the same in two ways".to_owned();
        let finding = Diagnostic::error("estate.contradiction", table.span_of("target"), message);
        findings.push(finding.hint("`parameter = \"a\"` is the argument `a`; leave one out"));
        return None;
    }
    let parameter = table.parse("parameter", values::rule_parameter);
    let targets = match parameter {
        Some(name) => of_parameter(&name),
        None => table
            .parse("target", values::rule_target)
            .into_iter()
            .collect(),
    };
    // Where it was written and refused, the exclusion would be wider than it was meant.
    if targets.is_empty() && (table.has("parameter") || table.has("target")) {
        return None;
    }
    let (until, ends) = table.parse("until", values::day)?;
    Some(Exclusion {
        rule: table.count("rule"),
        tag: table.parse("tag", values::rule_tag),
        targets,
        route: table.parse("route", values::name),
        reason: table.parse("reason", plain)?,
        until,
        ends,
        span: table.span,
    })
}

/// What a route says, over what `[waf]` says.
pub(super) fn of_route(
    findings: &mut Findings,
    table: &Reader<'_>,
    shared: Option<&Waf>,
) -> Option<RouteWaf> {
    let shared = shared?;
    let own = table.sub("waf", &ROUTE_WAF);
    let steps = table.sub("mode", &MODE);
    let is_named = table
        .node("mode")
        .and_then(crate::node::Node::table)
        .is_some();
    let mode = match table.node("mode") {
        Some(_) if is_named => steps.text("waf").map(super::routes::mode),
        Some(_) => table.text("mode").map(super::routes::mode),
        None => None,
    };
    let mode = match mode {
        Some(mode) => mode?,
        None => shared.mode,
    };
    if table.text("body") == Some("stream") && mode == Mode::Block && steps.has("waf") {
        let message = "a streamed body is not looked into: rules see path, query and headers";
        let span = steps.span_of("waf");
        let finding = Diagnostic::warning("estate.contradiction", span, message.to_owned());
        findings.push(finding.hint("leave it out, or write `body = \"hold\"`"));
    }
    Some(RouteWaf {
        mode,
        tuning: tuning(&own, shared.tuning),
        when_spent: if own.has("when_spent") {
            when_spent(&own)?
        } else {
            shared.when_spent
        },
        answers: if own.has("answers") {
            own.bool("answers")?
        } else {
            shared.answers
        },
    })
}

/// What routes and exclusions mean together.
pub(super) fn check(findings: &mut Findings, root: &Reader<'_>, estate: &Estate) {
    let Some(waf) = &estate.waf else {
        for table in entries(root, "route") {
            let steps = table.sub("mode", &MODE);
            let said: [(bool, Span); 2] = [
                (table.has("waf"), table.span_of("waf")),
                (steps.has("waf"), steps.span_of("waf")),
            ];
            for (_, span) in said.into_iter().filter(|(has, _)| *has) {
                let message = "there is no `[waf]`, so there are no rules".to_owned();
                let finding = Diagnostic::error("estate.contradiction", span, message);
                findings.push(finding.hint("add `[waf]` with `rules`, or leave this out"));
            }
        }
        return;
    };
    let tunings: BTreeSet<Tuning> = estate
        .routes
        .iter()
        .filter_map(|route| route.waf.map(|own| own.tuning))
        .collect();
    if tunings.len() > TUNINGS_MAX {
        let message = format!(
            "routes have {} different settings of `waf`; at most {TUNINGS_MAX} are accepted",
            tunings.len()
        );
        let finding = Diagnostic::error("estate.too_many", root.span_of("waf"), message);
        findings.push(finding.hint("each is a set of rules of its own in memory: share some"));
    }
    for one in &waf.exclusions {
        let Some(route) = &one.route else {
            continue;
        };
        if !estate.routes.iter().any(|known| known.name == *route) {
            let names = estate.routes.iter().map(|known| known.name.as_str());
            let message = format!("there is no route `{route}`");
            let finding = Diagnostic::error("estate.unknown_name", one.span, message);
            findings.push_hinted(finding, estate.routes.len(), || {
                suggest::hint(route, names, "routes")
            });
        }
    }
}

#[cfg(test)]
mod tests;
