//! Attack campaigns: each real attack is one file with the request, what it achieves without the
//! gateway, and the decision that must meet it.

use anyhow::{Context as _, anyhow, bail};
use toml_edit::{DocumentMut, Item, TableLike};

macro_rules! campaigns {
    ($($name:literal),* $(,)?) => {
        /// Every campaign: its name and its file.
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../campaigns/", $name, ".toml")))),*];
    };
}

// In the order of the scripted day: what a stranger tries first, then what the signed-in try.
campaigns![
    "path-null-byte",
    "path-traversal-dots",
    "path-traversal-encoded",
    "path-traversal-query",
    "sql-injection-cards",
    "sql-injection-schema",
    "xss-reflected",
    "admin-without-sign-in",
    "forged-assertion",
    "api-key-invented",
    "token-without-signature",
    "header-bomb",
    "smuggling-two-lengths",
    "smuggling-chunked-twice",
    "coupon-guessing",
    "xss-stored",
    "body-too-large",
    "idor-order-of-another",
    "admin-as-customer",
    "method-not-declared",
    "forged-cross-site-order",
    "order-of-less-than-nothing",
    "order-with-an-owner",
    "prices-as-support",
    "api-key-beyond-its-scope",
];

/// LIMIT: how often one campaign may repeat its request.
const REPEAT_MAX: i64 = 100;

/// One attack.
#[derive(Clone, Debug)]
pub(crate) struct Campaign {
    /// The file's name without its ending.
    pub(crate) name: &'static str,
    /// One line for people.
    pub(crate) title: String,
    /// Who attacks: `stranger`, or one of the demo's people and programs.
    pub(crate) who: String,
    /// What is sent.
    pub(crate) attack: Attack,
    /// What it achieves when the shop is reached directly.
    pub(crate) direct: Option<Direct>,
    /// What must meet it at the gateway.
    pub(crate) expect: Expect,
}

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) enum Attack {
    /// A request, so many times.
    Request(Request, u32),
    /// Bytes, as they are; `{host}` stands for the shop's host.
    Raw(String),
}

/// A request as a campaign describes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// Its method.
    pub(crate) method: String,
    /// Path and query, exactly as sent.
    pub(crate) target: String,
    /// Its header fields.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body.
    pub(crate) body: String,
}

/// What an attack achieves without the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    /// The shop's answer.
    pub(crate) status: u16,
    /// A page to look at afterwards; the answer itself when there is none.
    pub(crate) then: Option<String>,
    /// What is seen there.
    pub(crate) shows: Option<String>,
}

/// What must meet an attack at the gateway.
#[derive(Clone, Debug)]
pub(crate) struct Expect {
    /// The status of the (last) answer.
    pub(crate) status: u16,
    /// The step that refuses: the first word of the reason's code.
    pub(crate) step: String,
    /// How many of its requests may have reached the shop before it was refused.
    pub(crate) reaches_upstream_max: u64,
}

/// Every campaign.
///
/// # Errors
/// Which file is wrong, and where.
pub(crate) fn all() -> anyhow::Result<Vec<Campaign>> {
    FILES
        .iter()
        .map(|(name, text)| {
            parse(name, text).with_context(|| format!("the campaign `{name}` is wrong"))
        })
        .collect()
}

fn parse(name: &'static str, text: &str) -> anyhow::Result<Campaign> {
    let file: DocumentMut = text.parse()?;
    only(
        file.as_table(),
        &["title", "as", "request", "direct", "expect"],
    )?;
    let request = table(file.as_table(), "request")?.ok_or_else(|| anyhow!("no [request]"))?;
    let expect = table(file.as_table(), "expect")?.ok_or_else(|| anyhow!("no [expect]"))?;
    only(expect, &["status", "step", "reaches_upstream_max"])?;
    let direct = table(file.as_table(), "direct")?;
    Ok(Campaign {
        name,
        title: text_of(file.as_table(), "title")?,
        who: text_of(file.as_table(), "as")?,
        attack: attack(request)?,
        direct: direct.map(direct_of).transpose()?,
        expect: Expect {
            status: status(expect)?,
            step: text_of(expect, "step")?,
            reaches_upstream_max: number(expect, "reaches_upstream_max")?.unwrap_or(0),
        },
    })
}

fn attack(request: &dyn TableLike) -> anyhow::Result<Attack> {
    if let Some(raw) = optional(request, "raw")? {
        only(request, &["raw"])?;
        return Ok(Attack::Raw(raw));
    }
    only(
        request,
        &[
            "method",
            "target",
            "headers",
            "body",
            "body_bytes",
            "fields_more",
            "repeat",
        ],
    )?;
    let mut headers = Vec::new();
    if let Some(table) = table(request, "headers")? {
        for (name, value) in table.iter() {
            let value = value
                .as_str()
                .ok_or_else(|| anyhow!("`{name}` is not a text"))?;
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    for n in 0..number(request, "fields_more")?.unwrap_or(0) {
        headers.push((format!("x-more-{n}"), "1".to_owned()));
    }
    let mut body = optional(request, "body")?.unwrap_or_default();
    if let Some(bytes) = number(request, "body_bytes")? {
        let more = usize::try_from(bytes)?.saturating_sub(body.len());
        body.push_str(&"a".repeat(more));
    }
    let request_text = Request {
        method: text_of(request, "method")?,
        target: text_of(request, "target")?,
        headers,
        body,
    };
    let repeat = number(request, "repeat")?.unwrap_or(1);
    Ok(Attack::Request(request_text, u32::try_from(repeat)?.max(1)))
}

fn direct_of(table: &dyn TableLike) -> anyhow::Result<Direct> {
    only(table, &["status", "then", "shows"])?;
    Ok(Direct {
        status: status(table)?,
        then: optional(table, "then")?,
        shows: optional(table, "shows")?,
    })
}

fn only(table: &dyn TableLike, known: &[&str]) -> anyhow::Result<()> {
    match table.iter().find(|(key, _)| !known.contains(key)) {
        Some((key, _)) => bail!("`{key}` is not known here"),
        None => Ok(()),
    }
}

fn table<'a>(of: &'a dyn TableLike, key: &str) -> anyhow::Result<Option<&'a dyn TableLike>> {
    let Some(item) = of.get(key) else {
        return Ok(None);
    };
    let table = item.as_table_like();
    Ok(Some(
        table.ok_or_else(|| anyhow!("`{key}` is not a table"))?,
    ))
}

fn optional(table: &dyn TableLike, key: &str) -> anyhow::Result<Option<String>> {
    let text = |item: &Item| item.as_str().map(str::to_owned);
    match table.get(key) {
        None => Ok(None),
        Some(item) => Ok(Some(
            text(item).ok_or_else(|| anyhow!("`{key}` is not a text"))?,
        )),
    }
}

fn text_of(table: &dyn TableLike, key: &str) -> anyhow::Result<String> {
    optional(table, key)?.ok_or_else(|| anyhow!("no `{key}`"))
}

fn number(table: &dyn TableLike, key: &str) -> anyhow::Result<Option<u64>> {
    let Some(item) = table.get(key) else {
        return Ok(None);
    };
    let number = item
        .as_integer()
        .filter(|n| key != "repeat" || (1..=REPEAT_MAX).contains(n))
        .and_then(|n| u64::try_from(n).ok());
    Ok(Some(number.ok_or_else(|| {
        anyhow!("`{key}` is not a number in range")
    })?))
}

fn status(table: &dyn TableLike) -> anyhow::Result<u16> {
    let status = number(table, "status")?.ok_or_else(|| anyhow!("no `status`"))?;
    Ok(u16::try_from(status)?)
}

#[cfg(test)]
mod tests;
