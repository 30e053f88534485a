//! Names and releases in the one form under which they are kept and looked up.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::{Ecosystem, Package, Scope};

/// A package's name as its ecosystem compares it.
///
/// PyPI by PEP 503. NuGet and Composer compare without case. Everywhere else names are what they
/// are: npm keeps capitals of old names, Go's modules differ by case, and crates by `-` and `_` in
/// what lockfiles write.
pub(crate) fn normal(ecosystem: Ecosystem, name: &str) -> Cow<'_, str> {
    match ecosystem {
        Ecosystem::PyPi => pypi(name),
        Ecosystem::NuGet | Ecosystem::Packagist if name.chars().any(char::is_uppercase) => {
            Cow::Owned(name.to_lowercase())
        }
        _ => Cow::Borrowed(name),
    }
}

/// PEP 503: lower case, and one `-` for each run of `-`, `_` and `.`.
fn pypi(name: &str) -> Cow<'_, str> {
    let separator = |c: char| matches!(c, '-' | '_' | '.');
    let plain = |c: char| !c.is_uppercase() && c != '_' && c != '.';
    if name.chars().all(plain) && !name.contains("--") {
        return Cow::Borrowed(name);
    }
    let mut normal = String::with_capacity(name.len());
    let mut before = false;
    for c in name.chars() {
        let separates = separator(c);
        match (separates, before) {
            (true, true) => {}
            (true, false) => normal.push('-'),
            (false, _) => normal.extend(c.to_lowercase()),
        }
        before = separates;
    }
    Cow::Owned(normal)
}

/// Whether advisories of an ecosystem are of a release, without which a version says nothing.
pub(crate) fn has_releases(ecosystem: Ecosystem) -> bool {
    use Ecosystem as E;
    matches!(
        ecosystem,
        E::Alpine | E::AlmaLinux | E::Debian | E::RedHat | E::RockyLinux | E::Ubuntu
    )
}

/// A scope with its release as advisories name it: a system of Debian 12.13 is of `Debian:12`, one
/// of Alpine 3.20.3 of `Alpine:v3.20`; Ubuntu's `LTS` says nothing more.
pub(crate) fn scope(scope: &Scope) -> Scope {
    let release = scope
        .release
        .as_deref()
        .map(|release| match scope.ecosystem {
            Ecosystem::Debian => debian(release).to_owned(),
            Ecosystem::AlmaLinux | Ecosystem::RockyLinux => parts(release, 1).to_owned(),
            Ecosystem::Alpine => {
                let number = release.strip_prefix('v').unwrap_or(release);
                let begins = number.starts_with(|c: char| c.is_ascii_digit());
                if begins {
                    format!("v{}", parts(number, 2))
                } else {
                    release.to_owned()
                }
            }
            Ecosystem::Ubuntu => release.strip_suffix(":LTS").unwrap_or(release).to_owned(),
            _ => release.to_owned(),
        });
    Scope {
        ecosystem: scope.ecosystem,
        release,
    }
}

/// From 7 on a release of Debian is one number, and what follows are its updates.
fn debian(release: &str) -> &str {
    let major = parts(release, 1);
    match major.parse::<u32>() {
        Ok(number) if number >= 7 => major,
        _ => release,
    }
}

/// The first `count` parts between dots.
fn parts(text: &str, count: usize) -> &str {
    let end = text.match_indices('.').nth(count.saturating_sub(1));
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// The name and version under which advisories speak of a package: those of its source package
/// where the ecosystem's advisories are about these.
pub(crate) fn subject(package: &Package) -> (&str, &str) {
    use Ecosystem as E;
    let of_source = matches!(package.scope.ecosystem, E::Alpine | E::Debian | E::Ubuntu);
    match package.source.as_ref().filter(|_| of_source) {
        Some(source) => (&source.name, &source.version),
        None => (&package.name, &package.version),
    }
}

/// A repository's address without scheme, user, `.git` and the like, as far as one repository has
/// several.
pub(crate) fn repository(address: &str) -> String {
    let address = address.trim();
    let address = address.strip_prefix("git+").unwrap_or(address);
    let address = address.split(['#', '?']).next().unwrap_or(address);
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = match rest.split_once('@') {
        Some((user, rest)) if !user.contains('/') => rest,
        _ => rest,
    };
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    let (host, path) = rest.split_once(['/', ':']).unwrap_or((rest, ""));
    format!("{}/{path}", host.to_ascii_lowercase())
}
