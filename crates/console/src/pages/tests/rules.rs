//! Rules every page obeys: nothing inline, everything labelled, one heading at the top.

use scraper::{ElementRef, Html, Selector};

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}

/// Panics with the page's name and the element that breaks a rule.
pub(super) fn check(name: &str, html: &str) {
    let page = Html::parse_document(html);
    document(name, &page);
    content_security(name, &page);
    labels(name, &page);
    tables(name, &page);
    forms(name, &page);
    ids(name, &page);
}

fn document(name: &str, page: &Html) {
    assert_eq!(select(page, "h1").len(), 1, "{name}: exactly one h1");
    assert_eq!(select(page, "html[lang]").len(), 1, "{name}: a language");
    assert_eq!(select(page, "main").len(), 1, "{name}: one main landmark");
    assert_eq!(
        select(page, "title").len() - select(page, "svg title").len(),
        1
    );
    assert_eq!(select(page, "meta[name=viewport]").len(), 1);
    for element in select(page, "[tabindex]") {
        let value: i32 = element.attr("tabindex").unwrap().parse().unwrap();
        assert!(
            value <= 0,
            "{name}: positive tabindex on {}",
            element.html()
        );
    }
    let mut last = 0;
    for heading in select(page, "h1, h2, h3, h4") {
        let level: u8 = heading
            .value()
            .name()
            .trim_start_matches('h')
            .parse()
            .unwrap();
        assert!(level <= last + 1, "{name}: skips to {}", heading.html());
        assert!(!text(heading).is_empty(), "{name}: empty heading");
        last = level;
    }
}

/// SECURITY: the policy forbids inline script and style; a page that needs them would break.
fn content_security(name: &str, page: &Html) {
    assert!(
        select(page, "style").is_empty(),
        "{name}: inline style element"
    );
    for script in select(page, "script") {
        assert!(script.attr("src").is_some(), "{name}: inline script");
    }
    for element in select(page, "*") {
        for (attribute, value) in element.value().attrs() {
            assert_ne!(attribute, "style", "{name}: {}", element.html());
            assert!(!attribute.starts_with("on"), "{name}: {}", element.html());
            let value = value.trim_start().to_ascii_lowercase();
            assert!(
                !value.starts_with("javascript:"),
                "{name}: {}",
                element.html()
            );
        }
    }
    for element in select(page, "[src], link[href], use[href]") {
        let address = element.attr("src").or(element.attr("href")).unwrap();
        assert!(
            address.starts_with("/assets/") || address.starts_with("data:image/svg+xml"),
            "{name}: {address} is not ours"
        );
    }
}

fn labels(name: &str, page: &Html) {
    for field in select(page, "input:not([type=hidden]), select, textarea") {
        if field.attr("hidden").is_some() {
            continue;
        }
        let by_for = field
            .attr("id")
            .is_some_and(|id| !select(page, &format!("label[for='{id}']")).is_empty());
        let wrapped = field
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|a| a.value().name() == "label");
        let named = field.attr("aria-label").is_some();
        assert!(
            by_for || wrapped || named,
            "{name}: no label: {}",
            field.html()
        );
    }
    for element in select(page, "button, a[href]") {
        let named = !text(element).is_empty() || element.attr("aria-label").is_some();
        assert!(named, "{name}: nameless {}", element.html());
    }
    for image in select(page, "img") {
        assert!(image.attr("alt").is_some(), "{name}: {}", image.html());
    }
    for drawing in select(page, "svg") {
        let hidden = drawing.attr("aria-hidden") == Some("true");
        let named =
            drawing.attr("aria-label").is_some() || drawing.attr("aria-labelledby").is_some();
        assert!(hidden || named, "{name}: unnamed drawing");
    }
    for section in select(page, "section") {
        let named =
            section.attr("aria-label").is_some() || section.attr("aria-labelledby").is_some();
        assert!(
            named || select(page, ".empty").len() == 1,
            "{name}: nameless section"
        );
    }
}

fn tables(name: &str, page: &Html) {
    for cell in select(page, "th") {
        assert!(
            cell.attr("scope").is_some(),
            "{name}: th without scope: {}",
            cell.html()
        );
    }
}

/// SECURITY: a form that changes something carries the token and stays on this origin.
fn forms(name: &str, page: &Html) {
    let token = Selector::parse("input[name=form_token]").unwrap();
    for form in select(page, "form") {
        let action = form.attr("action").unwrap_or_default();
        assert!(
            action.starts_with('/') && !action.starts_with("//"),
            "{name}: {action}"
        );
        match form.attr("method") {
            Some("post") => assert_eq!(form.select(&token).count(), 1, "{name}: {action}"),
            Some("get") => assert_eq!(form.select(&token).count(), 0, "{name}: {action}"),
            other => panic!("{name}: method {other:?}"),
        }
    }
}

fn ids(name: &str, page: &Html) {
    let mut seen = std::collections::HashSet::new();
    for element in select(page, "[id]") {
        let id = element.attr("id").unwrap();
        assert!(seen.insert(id.to_owned()), "{name}: id {id} twice");
    }
    for element in select(page, "[aria-describedby], [aria-labelledby]") {
        let named = element
            .attr("aria-describedby")
            .or(element.attr("aria-labelledby"))
            .unwrap();
        for id in named.split_whitespace() {
            assert!(seen.contains(id), "{name}: points at missing id {id}");
        }
    }
}
