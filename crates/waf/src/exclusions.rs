//! Exclusions as rules: each asks whether its time is over and whether this is its route, and then
//! takes rules or targets away for this one request.

use estate::Exclusion;

use crate::own::EXCLUSION_IDS;

/// The text of all exclusions. Nothing of it needs to be escaped: the estate takes only characters
/// that mean nothing to the language.
pub(crate) fn text(exclusions: &[Exclusion]) -> String {
    let mut text = String::new();
    for (id, one) in (EXCLUSION_IDS..).zip(exclusions) {
        let controls: Vec<String> = if one.targets.is_empty() {
            vec![whole(one)]
        } else {
            one.targets
                .iter()
                .map(|target| of_target(one, target))
                .collect()
        };
        let controls = controls.join(",");
        let ends_s = one.ends.as_secs();
        match &one.route {
            None => text.push_str(&format!(
                "SecRule TIME_EPOCH \"@lt {ends_s}\" \"id:{id},phase:1,pass,nolog,{controls}\"\n"
            )),
            Some(route) => text.push_str(&format!(
                "SecRule TIME_EPOCH \"@lt {ends_s}\" \"id:{id},phase:1,pass,nolog,chain\"\n\
                 SecRule WEBAPPID \"@streq {route}\" \"{controls}\"\n"
            )),
        }
    }
    text
}

fn whole(one: &Exclusion) -> String {
    match (one.rule, &one.tag) {
        (Some(rule), _) => format!("ctl:ruleRemoveById={rule}"),
        (None, tag) => format!("ctl:ruleRemoveByTag={}", tag.as_deref().unwrap_or_default()),
    }
}

fn of_target(one: &Exclusion, target: &str) -> String {
    match (one.rule, &one.tag) {
        (Some(rule), _) => format!("ctl:ruleRemoveTargetById={rule};{target}"),
        (None, tag) => format!(
            "ctl:ruleRemoveTargetByTag={};{target}",
            tag.as_deref().unwrap_or_default()
        ),
    }
}
