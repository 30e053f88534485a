//! The console's templates: nothing unescaped, nothing inline, nothing of another origin. The
//! content security policy would stop most of it in the browser; this stops it before.

use super::{File, Finding, Tree};

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.select(|file| file.path.contains("/templates/")) {
        for (at, line) in file.text.lines().enumerate() {
            for what in problems(line) {
                findings.push(Finding::line(&file.path, at + 1, what));
            }
        }
        scripts(file, findings);
    }
}

/// What is wrong with one line of a template.
fn problems(line: &str) -> Vec<&'static str> {
    let squeezed: String = line
        .split_whitespace()
        .collect::<Vec<_>>()
        .join("")
        .to_lowercase();
    let lower = line.to_lowercase();
    let mut found = Vec::new();
    if squeezed.contains("|safe") || squeezed.contains("escape=\"none\"") {
        found.push("nothing goes into a page unescaped");
    }
    if lower.contains(" style=") || lower.contains("<style") {
        found.push("no inline style: a class and the style sheet");
    }
    if has_handler(&lower) {
        found.push("no inline event handler: the module attaches it");
    }
    if lower.contains("javascript:") {
        found.push("no script in an address");
    }
    let loads = ["src=\"http", "src=\"//", "<iframe", "<object", "<embed"];
    if loads.iter().any(|word| lower.contains(word)) {
        found.push("nothing is loaded from another origin, nothing is embedded");
    }
    found
}

/// ` onclick="…`: an attribute that begins with `on` and goes on in letters.
fn has_handler(lower: &str) -> bool {
    lower.split(" on").skip(1).any(|rest| {
        let name: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        !name.is_empty()
            && rest
                .strip_prefix(name.as_str())
                .is_some_and(|r| r.starts_with('='))
    })
}

/// Every `<script` has a source and nothing inside.
fn scripts(file: &File, findings: &mut Vec<Finding>) {
    for rest in file.text.split("<script").skip(1) {
        let (open, inside) = rest.split_once('>').unwrap_or((rest, ""));
        let inside = inside.split("</script").next().unwrap_or_default();
        let own = open.contains(" src=\"/") || open.contains(" src=\"{{");
        if !own || !inside.trim().is_empty() {
            findings.push(Finding::file(
                &file.path,
                "no inline script: a module of our own",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_must_not_have_is_found() {
        for line in [
            "{{ name | safe }}",
            "{{ name|safe }}",
            "<p style=\"color: red\">",
            "<a onclick=\"x()\">",
            "<a href=\"javascript:x()\">",
            "<img src=\"https://elsewhere.example/x.png\">",
        ] {
            assert_eq!(problems(line).len(), 1, "{line}");
        }
    }

    #[test]
    fn honest_lines_pass() {
        for line in [
            "<p>Based on = and once on ice</p>",
            "<input autofocus onward-label=\"x\">",
            "{{ safety }}",
            "<link rel=\"stylesheet\" href=\"/assets/base.css\">",
        ] {
            assert_eq!(problems(line), Vec::<&str>::new(), "{line}");
        }
    }

    #[test]
    fn a_script_needs_a_source_and_no_content() {
        let file = |text: &str| File {
            path: "crates/console/templates/x.html".to_owned(),
            text: text.to_owned(),
        };
        let count = |text: &str| {
            let mut findings = Vec::new();
            scripts(&file(text), &mut findings);
            findings.len()
        };
        assert_eq!(
            count("<script type=\"module\" src=\"/assets/console.mjs\"></script>"),
            0
        );
        assert_eq!(count("<script>alert(1)</script>"), 1);
        assert_eq!(count("<script src=\"/a.mjs\">x</script>"), 1);
    }
}
