//! What Python's formats share: requirements (PEP 508) and origins.

use crate::Origin;
use crate::document::Node;
use crate::text::address;

/// A requirement's parts, as written (PEP 508): `name[extras] specifier ; marker`, or an address
/// after `@`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Requirement<'a> {
    pub(super) name: &'a str,
    pub(super) specifier: &'a str,
    pub(super) address: Option<&'a str>,
}

impl<'a> Requirement<'a> {
    /// Parts of a line; nothing where it begins with no name.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = line.find(|c: char| !is_name(c)).unwrap_or(line.len());
        let (name, rest) = line.split_at_checked(end)?;
        let alphanumeric = |c: char| c.is_ascii_alphanumeric();
        if !name.starts_with(alphanumeric) || !name.ends_with(alphanumeric) {
            return None;
        }
        let mut rest = rest.trim_start();
        if let Some(extras) = rest.strip_prefix('[') {
            rest = extras.split_once(']')?.1.trim_start();
        }
        if let Some(place) = rest.strip_prefix('@') {
            // A marker behind an address is parted by white space and `;`.
            let place = place.split(" ;").next().unwrap_or_default().trim();
            return Some(Self {
                name,
                specifier: "",
                address: Some(place),
            });
        }
        let specifier = rest.split(';').next().unwrap_or_default().trim();
        let specifier = specifier
            .strip_prefix('(')
            .and_then(|s| s.strip_suffix(')'))
            .unwrap_or(specifier);
        let begins = specifier.starts_with(['=', '<', '>', '~', '!']);
        (specifier.is_empty() || begins).then_some(Self {
            name,
            specifier,
            address: None,
        })
    }

    /// The one version it allows, where it is one: `==1.0` or `===1.0`, no `==1.*`.
    pub(super) fn pinned(&self) -> Option<&'a str> {
        let exact = self.specifier.split(',').find_map(|part| {
            let part = part.trim();
            part.strip_prefix("===").or_else(|| part.strip_prefix("=="))
        });
        exact
            .map(str::trim)
            .filter(|version| !version.is_empty() && !version.contains('*'))
    }
}

/// The version of `==1.0`, as `Pipfile.lock` has it.
pub(super) fn exact(version: &str) -> Option<&str> {
    let version = version
        .strip_prefix("===")
        .or_else(|| version.strip_prefix("=="))?;
    Some(version.trim()).filter(|version| !version.is_empty() && !version.contains('*'))
}

/// `git+https://…@commit#egg=name`.
pub(crate) fn repository(place: &str) -> Option<Origin> {
    let place = place.strip_prefix("git+")?;
    let place = place.split(['#', '?']).next().unwrap_or_default();
    let begin = place.find("://").map_or(0, |at| at + 3);
    let path = begin + place.get(begin..)?.find('/').unwrap_or(0);
    let commit_at = place.get(path..)?.rfind('@').map(|at| at + path);
    let (place, commit) = match commit_at {
        Some(at) => (place.get(..at)?, place.get(at + 1..).map(str::to_owned)),
        None => (place, None),
    };
    Some(Origin::Git {
        address: address(place),
        commit,
    })
}

/// What stands in place of a version: a repository, an address or a folder.
pub(super) fn origin_of(place: &str) -> Origin {
    match repository(place) {
        Some(git) => git,
        None if place.contains("://") && !place.starts_with("file:") => {
            Origin::Address(address(place))
        }
        None => Origin::Path(place.to_owned()),
    }
}

/// The text of the first of some members.
pub(super) fn first_of<'n>(node: &'n Node<'_>, keys: &[&str]) -> Option<&'n str> {
    keys.iter().find_map(|key| node.text_of(key))
}
