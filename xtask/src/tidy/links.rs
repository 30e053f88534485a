//! Links between the project's documents: each leads to a file that is there.

use super::{Finding, Tree};

pub(super) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for file in tree.select(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, line) in file.text.lines().enumerate() {
            for link in targets(line) {
                let path = resolve(folder, link);
                let known = |p: &String| *p == path || p.starts_with(&format!("{path}/"));
                if !tree.paths.iter().any(known) {
                    let what = format!("`{link}` leads to no file");
                    findings.push(Finding::line(&file.path, at + 1, what));
                }
            }
        }
    }
}

/// Relative link targets of one line, without fragments.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let outside = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!outside).then_some(target.trim_end_matches('/'))
    })
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_and_resolved() {
        let line = "see [a](../x/y.md#z), [b](https://example.org/) and [c](guide/)";
        assert_eq!(targets(line).collect::<Vec<_>>(), ["../x/y.md", "guide"]);
        assert_eq!(resolve("docs/guide", "../x/y.md"), "docs/x/y.md");
        assert_eq!(resolve("", "docs"), "docs");
    }
}
