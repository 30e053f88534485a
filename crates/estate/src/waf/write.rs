//! An exclusion as lines of an estate file.
//!
//! SECURITY: targets hold names that strangers chose. Nothing is written that the estate would read
//! otherwise than it was meant, or not at all.

use crate::values;

/// Bytes that a reason may have, as the estate takes it.
const REASON_BYTES_MAX: usize = 300;
/// Where arguments stand: `parameter` means all three.
const ARGUMENTS: [&str; 3] = ["ARGS", "ARGS_GET", "ARGS_POST"];

/// An exclusion that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewExclusion<'e> {
    /// The rule with this id.
    pub rule: u64,
    /// Only there, such as `ARGS:comment`; everywhere without it.
    pub target: Option<&'e str>,
    /// Only on this route.
    pub route: Option<&'e str>,
    /// Why.
    pub reason: &'e str,
    /// The last day on which it applies, in UTC.
    pub until: &'e str,
}

/// Something that the estate would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// Which part: `rule`, `target`, `route`, `reason` or `until`.
    pub part: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unwritable {}

impl NewExclusion<'_> {
    /// The lines, with a line end behind each.
    ///
    /// # Errors
    /// The part that the estate would not take.
    pub fn lines(&self) -> Result<String, Unwritable> {
        let not = |part: &'static str| {
            move |wrong: values::Wrong| Unwritable {
                part,
                message: wrong.message,
            }
        };
        let mut lines = String::from("[[waf.exclusion]]\n");
        if !(1..=999_999_999).contains(&self.rule) {
            let message = format!("`{}` is no id of a rule", self.rule);
            return Err(Unwritable {
                part: "rule",
                message,
            });
        }
        lines.push_str(&format!("rule = {}\n", self.rule));
        if let Some(target) = self.target {
            let target = values::rule_target(target).map_err(not("target"))?;
            lines.push_str(&match target.strip_prefix("ARGS:") {
                Some(name) => format!("parameter = \"{name}\"\n"),
                None => format!("target = \"{target}\"\n"),
            });
        }
        if let Some(route) = self.route {
            let route = values::name(route).map_err(not("route"))?;
            lines.push_str(&format!("route = \"{route}\"\n"));
        }
        let reason = self.reason.trim();
        let is_one_line = !reason.chars().any(char::is_control);
        if reason.is_empty() || reason.len() > REASON_BYTES_MAX || !is_one_line {
            return Err(Unwritable {
                part: "reason",
                message: format!("a reason has 1 to {REASON_BYTES_MAX} bytes on one line"),
            });
        }
        lines.push_str(&format!("reason = \"{}\"\n", quoted(reason)));
        let (until, _) = values::day(self.until).map_err(not("until"))?;
        lines.push_str(&format!("until = \"{until}\"\n"));
        Ok(lines)
    }
}

/// Whether an exclusion can name a target: names may hold what means something to rules.
#[must_use]
pub fn can_except(target: &str) -> bool {
    values::rule_target(target).is_ok()
}

/// The targets that are left out where an exclusion names this one.
#[must_use]
pub fn excepted(target: &str) -> Vec<String> {
    match target.strip_prefix("ARGS:") {
        Some(name) => of_parameter(name),
        None => vec![target.to_owned()],
    }
}

/// The targets that `parameter` means.
pub(crate) fn of_parameter(name: &str) -> Vec<String> {
    ARGUMENTS
        .map(|collection| format!("{collection}:{name}"))
        .to_vec()
}

/// What stands between the quotation marks of a basic string (TOML 1.0). Characters that reorder or
/// hide what a reader sees are escaped too.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            c if is_invisible(c) => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Estate;

    const HEAD: &str = "[estate]\nname = \"shop\"\ndomain = \"shop.example\"\n\n[[zone]]\nname = \"app\"\n\n\
        [[host]]\nname = \"a\"\nzone = \"app\"\naddress = \"127.0.0.1\"\n\n\
        [[service]]\nname = \"posts\"\nhosts = [\"a\"]\nport = 8080\n\n\
        [[route]]\nname = \"posts\"\npath = \"/**\"\nto = \"posts\"\nauth = \"none\"\n\n\
        [waf]\nrules = \"builtin\"\n\n";

    fn new<'e>(target: Option<&'e str>, reason: &'e str) -> NewExclusion<'e> {
        NewExclusion {
            rule: 942_100,
            target,
            route: Some("posts"),
            reason,
            until: "2027-03-31",
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant() {
        let reasons = [
            "comments hold SQL",
            "a \"quote\" and a \\",
            "]] # \" = { [[route]]",
            "\u{202e}desrever\u{200b}",
        ];
        for target in [
            None,
            Some("ARGS:comment"),
            Some("ARGS_GET:json.items[0]"),
            Some("REQUEST_COOKIES:layout"),
            Some("REQUEST_BODY"),
        ] {
            for reason in reasons {
                let lines = new(target, reason).lines().unwrap();
                assert!(lines.lines().count() <= 6, "{lines}");
                let estate = Estate::parse(&format!("{HEAD}{lines}")).unwrap().estate;
                let [one] = estate.waf.as_ref().unwrap().exclusions.as_slice() else {
                    panic!("{lines}");
                };
                assert_eq!((one.rule, one.reason.as_str()), (Some(942_100), reason));
                assert_eq!(one.route.as_deref(), Some("posts"));
                let expected = target.map(excepted).unwrap_or_default();
                assert_eq!(one.targets, expected, "{lines}");
                assert!(target.is_none_or(can_except));
            }
        }
    }

    #[test]
    fn names_that_mean_something_elsewhere_are_not_written() {
        for target in [
            "ARGS:a\"\nmode = \"observe",
            "ARGS:a'b",
            "ARGS:a;b",
            "ARGS:/.*/",
            "ARGS:a b",
            "ARGS:a,ctl:ruleEngine=Off",
            "&ARGS:a",
            "ARGS:",
            "XML:/*",
            "args:a",
            "ARGS:é",
            "ARGS:a…",
            "",
        ] {
            let refused = new(Some(target), "r").lines().unwrap_err();
            assert_eq!(refused.part, "target", "{target:?}");
            assert!(!can_except(target));
        }
        for reason in [" ", "two\nlines = \"x\"\n[[route]]", "a\ttab", "\u{1b}[2J"] {
            assert_eq!(new(None, reason).lines().unwrap_err().part, "reason");
        }
        let mut one = new(None, "r");
        let long = "x".repeat(301);
        one.reason = &long;
        assert_eq!(one.lines().unwrap_err().part, "reason");
        one.reason = "r";
        one.route = Some("a\"b");
        assert_eq!(one.lines().unwrap_err().part, "route");
        one.route = None;
        one.until = "2027-02-30";
        assert_eq!(one.lines().unwrap_err().part, "until");
        one.until = "2027-03-31";
        one.rule = 0;
        assert_eq!(one.lines().unwrap_err().part, "rule");
    }
}
