//! What the scripted day needs to read in a page: a form's fields, its text, where it leads on.
//! Reads Rampart's own pages only, so it is no HTML parser.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a form's body (WHATWG URL, `application/x-www-form-urlencoded`).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'*');

/// A form as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// Where to.
    pub(crate) action: String,
    /// Hidden fields: name and value.
    pub(crate) hidden: Vec<(String, String)>,
}

/// The first form that has a field of each of these names.
pub(crate) fn with_fields(page: &str, names: &[&str]) -> Option<Form> {
    page.split("<form").skip(1).find_map(|rest| {
        let form = rest.split("</form>").next()?;
        let (open, inside) = form.split_once('>')?;
        let inputs: Vec<&str> = inside
            .split('<')
            .filter(|tag| {
                tag.starts_with("input") || tag.starts_with("select") || tag.starts_with("textarea")
            })
            .collect();
        let has = |name: &&str| {
            inputs
                .iter()
                .any(|tag| attribute(tag, "name").as_deref() == Some(*name))
        };
        if !names.iter().all(has) {
            return None;
        }
        let hidden = inputs
            .iter()
            .filter(|tag| attribute(tag, "type").as_deref() == Some("hidden"))
            .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
            .collect();
        Some(Form {
            action: attribute(open, "action").unwrap_or_default(),
            hidden,
        })
    })
}

/// Where `<meta http-equiv="refresh">` leads.
pub(crate) fn refresh(page: &str) -> Option<String> {
    let tag = page
        .split("<meta")
        .find(|tag| tag.contains("http-equiv=\"refresh\""))?;
    let content = attribute(tag, "content")?;
    Some(content.split_once("url=")?.1.to_owned())
}

/// What stands in `<code aria-labelledby="LABEL">`: keys are shown so.
pub(crate) fn labelled(page: &str, label: &str) -> Option<String> {
    let rest = page.split_once(&format!("aria-labelledby=\"{label}\">"))?.1;
    Some(unescape(rest.split('<').next()?.trim()))
}

/// The page's words, without its tags.
pub(crate) fn text(page: &str) -> String {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let words = body
        .split('<')
        .filter_map(|tag| tag.split_once('>').map(|(_, text)| text.trim()))
        .filter(|text| !text.is_empty());
    unescape(&words.collect::<Vec<_>>().join(" "))
}

/// `name=value&…`.
pub(crate) fn encode<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs = fields.map(|(name, value)| {
        format!(
            "{}={}",
            utf8_percent_encode(name, KEPT),
            utf8_percent_encode(value, KEPT)
        )
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    Some(unescape(rest.split('"').next()?))
}

fn unescape(text: &str) -> String {
    [
        ("&#38;", "&"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

// The path is written out because integration tests use this file too.
#[cfg(test)]
#[path = "form/tests.rs"]
mod tests;
