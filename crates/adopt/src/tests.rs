mod caddy;
mod model;
mod nginx;
mod others;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::{Adopted, Error, Files, Group, Input, Kind, Unread, adopt, matches};

/// Files in memory, as they would lie in one folder.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    path: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl Files for Folder {
    fn open(&self, pattern: &str) -> Result<Vec<(String, Vec<u8>)>, Unread> {
        let parts: Vec<&str> = pattern.split('/').collect();
        let found: Vec<(String, Vec<u8>)> = self
            .files
            .iter()
            .filter(|(path, _)| {
                let names: Vec<&str> = path.split('/').collect();
                names.len() == parts.len()
                    && parts
                        .iter()
                        .zip(&names)
                        .all(|(part, name)| matches(part, name))
            })
            .map(|(path, bytes)| {
                let shown = path.strip_prefix(&format!("{}/", self.path));
                (shown.unwrap_or(path).to_owned(), bytes.clone())
            })
            .collect();
        match pattern.contains(['*', '?', '[']) || !found.is_empty() {
            true => Ok(found),
            false => Err(Unread("there is no such file".to_owned())),
        }
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// Every file of a case, as it would lie in `path`.
pub(crate) fn folder(case: &str, path: &str) -> Folder {
    fn gather(from: &Path, to: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = format!("{to}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                gather(&entry.path(), &to, files);
            } else {
                files.insert(to, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    gather(&testdata().join(case), path, &mut files);
    Folder {
        path: path.to_owned(),
        files,
    }
}

/// Adopts the file `name` of a case.
pub(crate) fn of_case(case: &str, path: &str, name: &str) -> Result<Adopted, Error> {
    let files = folder(case, path);
    let bytes = &files.files[&format!("{path}/{name}")];
    let input = Input {
        name,
        bytes,
        folder: path,
        estate: "acme",
        beside: Some(name),
    };
    adopt(&input, None, &files)
}

/// Adopts a text alone.
pub(crate) fn of_text(kind: Kind, name: &str, text: &str) -> Result<Adopted, Error> {
    let input = Input {
        name,
        bytes: text.as_bytes(),
        folder: "/etc/old",
        estate: "acme",
        beside: Some(name),
    };
    adopt(&input, Some(kind), &Folder::default())
}

/// Everything a reader is told, as text; an estate with a warning is a mistake.
pub(crate) fn told(adopted: &Adopted) -> String {
    let parsed = estate::Estate::parse(&adopted.estate).unwrap();
    assert_eq!(parsed.warnings, [], "{}", adopted.estate);
    assert_eq!(parsed.estate.routes.len(), adopted.routes);
    let mut out = adopted.estate.clone();
    let counted = format!("\n=== {} carried\n", adopted.carried);
    out.push_str(&counted);
    for note in &adopted.left {
        let mark = if note.guards { "left (guards)" } else { "left" };
        writeln!(out, "{mark} {} `{}`: {}", note.place, note.what, note.why).unwrap();
        if let Some(instead) = &note.instead {
            writeln!(out, "    instead: {instead}").unwrap();
        }
    }
    groups("differs", &adopted.differs, &mut out);
    groups("not needed", &adopted.unneeded, &mut out);
    out
}

fn groups(word: &str, groups: &[Group], out: &mut String) {
    for group in groups {
        writeln!(out, "{word}: {}", group.why).unwrap();
        for said in &group.of {
            writeln!(out, "    {} `{}`", said.place, said.what).unwrap();
        }
    }
}

#[test]
fn patterns_are_a_shells() {
    for (pattern, name, expected) in [
        ("*.conf", "site.conf", true),
        ("*.conf", ".conf", false),
        ("*", ".hidden", false),
        ("a?c", "abc", true),
        ("[a-c]x[!0-9]", "bxz", true),
        ("[a-c]x[!0-9]", "bx1", false),
        ("*a*b*c*", "xxaxxbxxcxx", true),
        ("*a*b*c*", "xxaxxcxxbxx", false),
        ("[", "[", false),
        ("", "", true),
    ] {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn kinds_are_told_by_name_and_content() {
    for (name, text, expected) in [
        (
            "/etc/nginx/nginx.conf",
            "events {}\nhttp {\n}\nuser x;\n",
            Some(Kind::Nginx),
        ),
        ("site", "server {\n listen 80;\n}", Some(Kind::Nginx)),
        ("Caddyfile", "", Some(Kind::Caddy)),
        (
            "site",
            "shop.example {\n reverse_proxy a:1\n}",
            Some(Kind::Caddy),
        ),
        ("docker-compose.yml", "", Some(Kind::Compose)),
        ("stack.yaml", "services:\n", Some(Kind::Compose)),
        ("orders.yaml", "openapi: 3.1.0\n", Some(Kind::Openapi)),
        (
            "orders.json",
            "{ \"openapi\": \"3.0.0\" }",
            Some(Kind::Openapi),
        ),
        ("README", "hello", None),
        ("values.yaml", "a: 1", None),
    ] {
        assert_eq!(Kind::detect(name, text), expected, "{name}");
    }
}

#[test]
fn what_is_no_text_is_refused_with_its_line() {
    let input = Input {
        name: "nginx.conf",
        bytes: b"a;\nb \xff;",
        folder: "/etc",
        estate: "",
        beside: None,
    };
    let refused = adopt(&input, None, &Folder::default()).unwrap_err();
    assert_eq!(refused.to_string(), "nginx.conf:2: this is no UTF-8");
}
