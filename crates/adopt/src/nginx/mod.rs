//! nginx: from its files to a draft.

mod access;
mod lex;
mod listen;
mod location;
mod proxy;
mod server;
mod upstream;
mod words;

use std::collections::BTreeMap;

use crate::draft::{Acme, Draft};
use crate::files::{Files, Opened, within};
use crate::tree::{Directive, forgotten};
use crate::{Error, Input};

/// The levels around a place, outermost first: what is not said in one comes from outside.
#[derive(Clone, Debug)]
pub(super) struct Scope<'d> {
    levels: Vec<&'d [Directive]>,
}

impl<'d> Scope<'d> {
    fn within(&self, level: &'d [Directive]) -> Self {
        let mut levels = self.levels.clone();
        levels.push(level);
        Self { levels }
    }

    /// Every directive of that name, from the innermost level that has one: nginx never adds those
    /// of one level to those of another.
    fn all(&self, name: &str) -> Vec<&'d Directive> {
        for level in self.levels.iter().rev() {
            let found: Vec<&Directive> = level.iter().filter(|one| one.name == name).collect();
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The one that counts.
    fn one(&self, name: &str) -> Option<&'d Directive> {
        self.all(name).into_iter().next_back()
    }

    /// The directives of the innermost level.
    fn own(&self) -> &'d [Directive] {
        self.levels.last().copied().unwrap_or_default()
    }
}

/// What servers share.
#[derive(Debug)]
pub(super) struct Http<'d> {
    scope: Scope<'d>,
    upstreams: BTreeMap<&'d str, &'d Directive>,
    zones: BTreeMap<&'d str, access::Zone>,
    folder: &'d str,
}

/// Reads `text` and what it includes.
pub(crate) fn read(
    input: &Input<'_>,
    text: &str,
    files: &dyn Files,
    draft: &mut Draft,
) -> Result<(), Error> {
    let mut reading = Reading {
        opened: Opened::new(files),
        folder: input.folder,
        count: 0,
    };
    let parsed = lex::parse(input.name, text)?;
    let tree = reading.include(parsed, 0, draft)?;
    let mut levels: Vec<&[Directive]> = Vec::new();
    for one in tree.iter().filter(|one| one.name == "http") {
        one.carried(&mut draft.notes);
        levels.push(one.inside());
    }
    // A part of a configuration, such as a file of `sites-enabled`.
    if levels.is_empty() {
        levels.push(&tree);
    }
    for level in levels {
        http(level, input, draft)?;
    }
    account(&tree, draft);
    let deaf = draft.routes.iter().find(|route| !route.websocket);
    if let Some((place, what)) = deaf.map(|route| (route.place.clone(), route.what.clone())) {
        let why = "a handshake for a WebSocket is refused where a route does not say `websocket`; nginx passes it on as a plain request";
        draft.notes.differs(&place, &what, why);
    }
    Ok(())
}

fn http(level: &[Directive], input: &Input<'_>, draft: &mut Draft) -> Result<(), Error> {
    let scope = Scope {
        levels: vec![level],
    };
    let mut upstreams = BTreeMap::new();
    for one in level.iter().filter(|one| one.name == "upstream") {
        upstreams.insert(one.arg(0), one);
    }
    let http = Http {
        zones: access::zones(level, draft),
        upstreams,
        folder: input.folder,
        scope,
    };
    // nginx's own default, which guards what nobody thought of.
    if http.scope.one("client_max_body_size").is_none() {
        let why = "nginx takes bodies up to 1 MiB where nothing else is said.";
        draft.body_max = Some((1 << 20, why.to_owned()));
    }
    server::servers(&http, level, draft)?;
    let acme = level.iter().any(uses_acme);
    if acme && draft.acme.is_none() {
        draft.acme = Some(Acme::default());
    }
    Ok(())
}

/// Whether certificates come from certbot's folder.
fn uses_acme(one: &Directive) -> bool {
    (one.name == "ssl_certificate" && one.arg(0).starts_with("/etc/letsencrypt/"))
        || one.inside().iter().any(uses_acme)
}

/// Says of everything that nobody looked at what it is.
fn account(tree: &[Directive], draft: &mut Draft) {
    let mut rest = Vec::new();
    forgotten(tree, &mut rest);
    for one in rest {
        if let Some(why) = words::unneeded(&one.name).or_else(|| idle(one)) {
            one.unneeded(&mut draft.notes, why);
            continue;
        }
        if words::guards(&one.name) {
            one.unguarded(
                &mut draft.notes,
                "it guards nothing that was carried over, or in a way that was not understood",
                "look at what it guarded",
            );
        } else {
            let (why, instead) = words::left(&one.name);
            one.left(&mut draft.notes, why, instead);
        }
    }
}

/// Why a directive with these very words is not needed.
fn idle(one: &Directive) -> Option<&'static str> {
    match (one.name.as_str(), one.arg(0)) {
        ("map", "$http_upgrade") => {
            Some("`websocket = true` of a route says which clients may open one")
        }
        (
            "proxy_redirect" | "gzip" | "proxy_cache" | "proxy_intercept_errors" | "autoindex",
            "off",
        ) => Some("it is off"),
        ("root", _) => Some("no location that was carried over serves files from it"),
        _ => None,
    }
}

struct Reading<'f> {
    opened: Opened<'f>,
    folder: &'f str,
    count: usize,
}

impl Reading<'_> {
    /// Puts what `include` names in its place. nginx reads every path from the folder of the
    /// first file, wherever the line stands.
    fn include(
        &mut self,
        list: Vec<Directive>,
        depth: usize,
        draft: &mut Draft,
    ) -> Result<Vec<Directive>, Error> {
        let mut out = Vec::new();
        for mut one in list {
            self.count = self.count.saturating_add(1);
            if self.count > lex::DIRECTIVES_MAX {
                return Err(Error::Limit {
                    what: "directives".to_owned(),
                    max: lex::DIRECTIVES_MAX,
                });
            }
            if one.name == "include" && one.block.is_none() {
                if is_table(one.arg(0)) {
                    let why = "tables of media types and of FastCGI belong to nginx alone";
                    one.unneeded(&mut draft.notes, why);
                    out.push(one);
                    continue;
                }
                match self.opened.open(&within(self.folder, one.arg(0)), depth)? {
                    Ok(texts) => {
                        one.carried(&mut draft.notes);
                        for (name, text) in texts {
                            let parsed = lex::parse(&name, &text)?;
                            out.extend(self.include(parsed, depth.saturating_add(1), draft)?);
                        }
                    }
                    Err(why) => {
                        let why = format!("the file was not read: {why}");
                        let instead = "what it says is missing here; adopt it by itself";
                        one.unguarded(&mut draft.notes, &why, instead);
                    }
                }
                out.push(one);
                continue;
            }
            if let Some(inside) = one.block.take() {
                one.block = Some(self.include(inside, depth, draft)?);
            }
            out.push(one);
        }
        Ok(out)
    }
}

/// Files that come with nginx and say nothing about routes.
fn is_table(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "mime.types"
            | "fastcgi_params"
            | "fastcgi.conf"
            | "uwsgi_params"
            | "scgi_params"
            | "fastcgi-php.conf"
            | "options-ssl-nginx.conf"
    ) || path.contains("modules-enabled")
}
