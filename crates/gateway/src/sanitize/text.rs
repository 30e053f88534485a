//! One text: composed, without control characters, and with no more markup than may stay.

use std::borrow::Cow;

use estate::Keep;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// LIMIT: how often one text goes through the allow list.
const ROUNDS_MAX: usize = 2;

/// The allow list, compiled.
#[derive(Debug)]
pub(super) struct Text(ammonia::Builder<'static>);

impl Text {
    pub(super) fn new() -> Self {
        Self(ammonia::Builder::default())
    }

    /// The cleaned text, when it differs.
    ///
    /// SECURITY: markup is judged last, when nothing changes any more what a browser will read.
    pub(super) fn clean(&self, keep: Keep, text: &str) -> Option<String> {
        let plain = composed(without_controls(text));
        let cleaned = match keep {
            Keep::Html => self.harmless(plain),
            // What stood on both sides of a tag may compose now; no `<` comes of that.
            Keep::Text => composed(without_tags(plain)),
        };
        (cleaned != text).then(|| cleaned.into_owned())
    }

    /// Character references may stand for what was taken away before: then once more. Never
    /// composed behind the allow list: `>` and U+0338 would become one character.
    fn harmless<'t>(&self, mut plain: Cow<'t, str>) -> Cow<'t, str> {
        for _ in 0..ROUNDS_MAX {
            // Without these characters there is no markup and no reference in it.
            if !plain.contains(['<', '>', '&']) {
                return plain;
            }
            let cleaned = self.0.clean(&plain).to_string();
            let again = composed(without_controls(&cleaned)).into_owned();
            if again == cleaned {
                return Cow::Owned(cleaned);
            }
            plain = Cow::Owned(again);
        }
        Cow::Owned(self.0.clean(&plain).to_string())
    }
}

/// Control characters (general category Cc) but for tab and line feed.
fn without_controls(text: &str) -> Cow<'_, str> {
    let is_gone = |c: char| c.is_control() && !matches!(c, '\t' | '\n');
    if text.chars().any(is_gone) {
        Cow::Owned(text.chars().filter(|c| !is_gone(*c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Normalisation form C (UAX #15).
fn composed(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(&text) {
        text
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// The text without anything a browser takes for a tag, a comment or the like (WHATWG HTML
/// §13.2.5.6: `<` and a letter, `/`, `!` or `?`), up to the next `>`. Everything else stays, a `<`
/// before a number or a space among it; contents of elements stay as text.
///
/// INVARIANT: in what comes out, no `<` stands before one of those, whatever was taken away between
/// them: there a space is put.
fn without_tags(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('<') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        append(&mut out, before);
        let after = from.strip_prefix('<').unwrap_or("");
        if after.starts_with(opens) {
            // A tag that is never closed swallows the rest, as it does in a browser.
            rest = after.split_once('>').map_or("", |(_, rest)| rest);
        } else {
            out.push('<');
            rest = after;
        }
    }
    append(&mut out, rest);
    Cow::Owned(out)
}

fn append(out: &mut String, text: &str) {
    if out.ends_with('<') && text.starts_with(opens) {
        out.push(' ');
    }
    out.push_str(text);
}

fn opens(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(character, '/' | '!' | '?')
}
