//! The forms of what people type: bounded, and one way to write each.

use unicode_normalization::UnicodeNormalization as _;

use crate::Error;

/// LIMIT: characters of a login and of a name.
const LOGIN_CHARS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 100;
/// LIMIT: bytes of an e-mail address (RFC 5321 §4.5.3.1.3, without the brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// The form logins are compared in: NFC, lower case.
pub(crate) fn login_form(text: &str) -> Result<String, Error> {
    let login: String = text
        .trim()
        .nfc()
        .collect::<String>()
        .to_lowercase()
        .nfc()
        .collect();
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    if login.is_empty() || login.chars().count() > LOGIN_CHARS_MAX || !login.chars().all(allowed) {
        let problem =
            format!("must be 1 to {LOGIN_CHARS_MAX} letters, digits, `.`, `_`, `-`, `@` or `+`");
        return Err(Error::invalid("login", problem));
    }
    Ok(login)
}

/// A line for people: bounded, and without characters that would disturb a page or a log.
pub(crate) fn name_form(text: &str) -> Result<String, Error> {
    let name: String = text.trim().nfc().collect();
    // Bidirectional overrides and invisible marks can make one name look like another.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(hidden) {
        let problem = format!("must be 1 to {NAME_CHARS_MAX} visible characters");
        return Err(Error::invalid("name", problem));
    }
    Ok(name)
}

pub(crate) fn email_form(text: &str) -> Result<String, Error> {
    let email: String = text.trim().nfc().collect();
    let whole = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && domain.contains('.') && !domain.contains('@')
    });
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"' | ',');
    if !whole || email.len() > EMAIL_BYTES_MAX || email.chars().any(odd) {
        return Err(Error::invalid(
            "email",
            "must be an address such as `ada@shop.example`",
        ));
    }
    Ok(email)
}
