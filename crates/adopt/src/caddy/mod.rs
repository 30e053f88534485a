//! Caddy: from a Caddyfile to a draft.

mod around;
mod lex;
mod matcher;
mod proxy;
mod site;
mod walk;

use crate::draft::{Acme, Draft};
use crate::files::{Files, Opened};
use crate::tree::{Directive, forgotten};
use crate::{Error, Input};

/// What holds for every site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Global {
    http_port: u16,
    https_port: u16,
    /// Whether certificates and redirects to HTTPS come by themselves.
    auto_https: bool,
}

/// Reads `text` and what it imports.
pub(crate) fn read(
    input: &Input<'_>,
    text: &str,
    files: &dyn Files,
    draft: &mut Draft,
) -> Result<(), Error> {
    let parsed = lex::parse(input.name, text)?;
    let mut imports = lex::Imports::new(Opened::new(files), input.folder);
    let tree = imports.expand(parsed, 0, draft)?;
    let mut global = Global {
        http_port: 80,
        https_port: 443,
        auto_https: true,
    };
    let mut sites: Vec<(Vec<String>, &[Directive], &Directive)> = Vec::new();
    let mut rest = tree.as_slice();
    if let Some((first, others)) = tree.split_first()
        && first.name.is_empty()
        && first.block.is_some()
    {
        first.carried(&mut draft.notes);
        options(first.inside(), &mut global, draft);
        rest = others;
    }
    match rest.split_first() {
        // A file of one site needs no braces.
        Some((first, inside)) if first.block.is_none() => {
            first.carried(&mut draft.notes);
            sites.push((keys(first), inside, first));
        }
        _ => {
            for one in rest {
                one.carried(&mut draft.notes);
                if one.name.starts_with("&(") {
                    one.left(&mut draft.notes, "named routes are not carried over", "");
                    continue;
                }
                sites.push((keys(one), one.inside(), one));
            }
        }
    }
    for (keys, inside, from) in &sites {
        site::site(keys, inside, from, &global, draft)?;
    }
    defaults(draft);
    account(&tree, draft);
    Ok(())
}

/// The addresses of a site, which commas may part.
fn keys(one: &Directive) -> Vec<String> {
    std::iter::once(&one.name)
        .chain(&one.args)
        .flat_map(|word| word.split(','))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn options(list: &[Directive], global: &mut Global, draft: &mut Draft) {
    for one in list {
        match one.name.as_str() {
            "http_port" | "https_port" => {
                if let Some(port) = crate::address::port(one.arg(0)) {
                    one.carried(&mut draft.notes);
                    if one.name == "http_port" {
                        global.http_port = port;
                    } else {
                        global.https_port = port;
                    }
                }
            }
            "email" => {
                one.carried(&mut draft.notes);
                contact(one.arg(0), draft);
            }
            "acme_ca" => {
                one.carried(&mut draft.notes);
                draft.acme.get_or_insert_default().directory = Some(one.arg(0).to_owned());
            }
            "auto_https" => {
                one.carried(&mut draft.notes);
                global.auto_https = one.arg(0) != "off";
            }
            "debug"
            | "log"
            | "admin"
            | "persist_config"
            | "grace_period"
            | "shutdown_delay"
            | "storage"
            | "storage_clean_interval"
            | "renew_interval"
            | "local_certs"
            | "skip_install_trust"
            | "metrics"
            | "ocsp_stapling"
            | "order"
            | "cert_issuer"
            | "on_demand_tls"
            | "key_type" => {
                one.unneeded(&mut draft.notes, "it is about Caddy itself");
            }
            "servers" => {
                let why = "of the servers' own settings none is carried over";
                let instead = "`[gateway] trusted_proxies`, `[listen] proxy_protocol` and `[limits]` say the like";
                one.left(&mut draft.notes, why, instead);
            }
            _ => {
                one.left(
                    &mut draft.notes,
                    "there is nothing like it in the estate",
                    "",
                );
            }
        }
    }
}

fn contact(mail: &str, draft: &mut Draft) {
    let acme: &mut Acme = draft.acme.get_or_insert_default();
    let plain = mail.contains('@') && !mail.contains(['{', '"', ' ', '\\']);
    if plain && mail.len() < 200 {
        acme.contact = Some(mail.to_owned());
    }
}

/// What Caddy has no bound for and Rampart has.
fn defaults(draft: &mut Draft) {
    let Some(place) = draft.routes.first().map(|route| route.place.clone()) else {
        return;
    };
    let why = "Caddy bounds neither bodies nor times by itself; Rampart takes bodies up to 10 MiB, answers up to 1 GiB, and waits 60 s for one (`[limits]`)";
    draft.notes.differs(&place, "reverse_proxy", why);
    let why = "a host without a site, and a path that no handler takes, get an empty answer from Caddy (200); Rampart refuses them (421, 404)";
    draft.notes.differs(&place, "reverse_proxy", why);
}

fn account(tree: &[Directive], draft: &mut Draft) {
    let mut rest = Vec::new();
    forgotten(tree, &mut rest);
    for one in rest {
        let (why, instead) = site::left(&one.name);
        if site::guards(&one.name) {
            one.unguarded(&mut draft.notes, why, instead);
        } else {
            one.left(&mut draft.notes, why, instead);
        }
    }
}
