use model::Span;

use super::*;

fn finding(span: Option<Span>) -> Diagnostic {
    Diagnostic::error("estate.x", span, "wrong".to_owned())
}

#[test]
fn findings_stand_beneath_their_lines() {
    let source = "a = 1\nb = 2\n";
    let (lines, elsewhere) = annotated(
        source,
        &[
            finding(Some(Span { start: 6, end: 7 })),
            finding(None),
            finding(Some(Span { start: 12, end: 12 })),
        ],
    );
    assert_eq!(lines.len(), 2);
    assert!(lines[0].notes.is_empty());
    assert_eq!(
        lines[1].notes.len(),
        2,
        "its own, and the one behind the end"
    );
    assert_eq!(elsewhere.len(), 1);
}

#[test]
fn without_findings_the_source_is_not_repeated() {
    let (lines, elsewhere) = annotated("a = 1\n", &[]);
    assert!(lines.is_empty() && elsewhere.is_empty());
}

#[test]
fn the_confirmation_names_the_version_to_be() {
    assert_eq!(confirmation(7), "apply 8");
}
