//! Formats, and how they are recognised by the names of files.

use super::{
    Builder, ReadError, apk, bun, cabal, cargo, composer, dotnet_deps, dpkg, gemfile, go, gradle,
    maven, mix, npm, nuget, pdm, pipfile, pnpm, poetry, pubspec, pylock, renv, requirements, rpm,
    stack, uv, yarn,
};
use crate::sbom::{cyclonedx, spdx};

/// A reader of one format.
pub(crate) type Reader = fn(&[u8], &mut Builder) -> Result<(), ReadError>;

/// A kind of file that names packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `lib/apk/db/installed` of Alpine.
    ApkInstalled,
    /// `bun.lock`, versions 0 to 2.
    BunLock,
    /// `cabal.project.freeze`.
    CabalFreeze,
    /// `Cargo.lock`, versions 1 to 4.
    CargoLock,
    /// `composer.lock`.
    ComposerLock,
    /// An SBOM of CycloneDX in JSON, 1.4 to 1.6.
    CycloneDx,
    /// `*.deps.json` of .NET.
    DotnetDeps,
    /// `var/lib/dpkg/status` of Debian and Ubuntu.
    DpkgStatus,
    /// A file of `var/lib/dpkg/status.d`, as images without a package manager have.
    DpkgStatusD,
    /// `Gemfile.lock`.
    GemfileLock,
    /// `go.mod`.
    GoMod,
    /// `go.sum`, which only checks a `go.mod`.
    GoSum,
    /// `gradle.lockfile`.
    GradleLockfile,
    /// `buildscript-gradle.lockfile`: what builds.
    GradleBuildLockfile,
    /// `mix.lock`.
    MixLock,
    /// `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
    NpmLock,
    /// `packages.lock.json`, versions 1 and 2.
    NugetLock,
    /// `pdm.lock`, version 4.
    PdmLock,
    /// `Pipfile.lock`, version 6.
    PipfileLock,
    /// `pnpm-lock.yaml`, versions 5, 6 and 9.
    PnpmLock,
    /// `poetry.lock`, versions 1 and 2.
    PoetryLock,
    /// `pom.xml`.
    PomXml,
    /// `pubspec.lock`.
    PubspecLock,
    /// `pylock.toml` (PEP 751), version 1.
    PylockToml,
    /// `renv.lock`.
    RenvLock,
    /// `requirements.txt`.
    Requirements,
    /// What `rpm -qa` prints, asked for in [`RPM_QUERY`](Format::RPM_QUERY).
    RpmQuery,
    /// An SBOM of SPDX in JSON, 2.2 and 2.3.
    Spdx,
    /// `stack.yaml.lock`.
    StackLock,
    /// `uv.lock`, version 1.
    UvLock,
    /// `yarn.lock`, of version 1 and of Berry.
    YarnLock,
}

/// Every format: how it is called, and its reader.
const FORMATS: &[(Format, &str, Reader)] = &[
    (Format::ApkInstalled, "installed database of apk", apk::read),
    (Format::BunLock, "bun.lock", bun::read),
    (Format::CabalFreeze, "cabal.project.freeze", cabal::read),
    (Format::CargoLock, "Cargo.lock", cargo::read),
    (Format::ComposerLock, "composer.lock", composer::read),
    (Format::CycloneDx, "SBOM of CycloneDX", cyclonedx::read),
    (Format::DotnetDeps, "deps.json", dotnet_deps::read),
    (Format::DpkgStatus, "status file of dpkg", dpkg::read_status),
    (
        Format::DpkgStatusD,
        "file of dpkg's status.d",
        dpkg::read_status_d,
    ),
    (Format::GemfileLock, "Gemfile.lock", gemfile::read),
    (Format::GoMod, "go.mod", go::read),
    (Format::GoSum, "go.sum", go::read_sums),
    (Format::GradleLockfile, "gradle.lockfile", gradle::read),
    (
        Format::GradleBuildLockfile,
        "buildscript-gradle.lockfile",
        gradle::read_build,
    ),
    (Format::MixLock, "mix.lock", mix::read),
    (Format::NpmLock, "package-lock.json", npm::read),
    (Format::NugetLock, "packages.lock.json", nuget::read),
    (Format::PdmLock, "pdm.lock", pdm::read),
    (Format::PipfileLock, "Pipfile.lock", pipfile::read),
    (Format::PnpmLock, "pnpm-lock.yaml", pnpm::read),
    (Format::PoetryLock, "poetry.lock", poetry::read),
    (Format::PomXml, "pom.xml", maven::read),
    (Format::PubspecLock, "pubspec.lock", pubspec::read),
    (Format::PylockToml, "pylock.toml", pylock::read),
    (Format::RenvLock, "renv.lock", renv::read),
    (
        Format::Requirements,
        "requirements file",
        requirements::read,
    ),
    (Format::RpmQuery, "list of rpm", rpm::read),
    (Format::Spdx, "SBOM of SPDX", spdx::read),
    (Format::StackLock, "stack.yaml.lock", stack::read),
    (Format::UvLock, "uv.lock", uv::read),
    (Format::YarnLock, "yarn.lock", yarn::read),
];

/// Files that have one name everywhere.
const NAMES: &[(&str, Format)] = &[
    ("Cargo.lock", Format::CargoLock),
    ("Gemfile.lock", Format::GemfileLock),
    ("Pipfile.lock", Format::PipfileLock),
    ("bom.json", Format::CycloneDx),
    ("buildscript-gradle.lockfile", Format::GradleBuildLockfile),
    ("bun.lock", Format::BunLock),
    ("cabal.project.freeze", Format::CabalFreeze),
    ("composer.lock", Format::ComposerLock),
    ("gems.locked", Format::GemfileLock),
    ("go.mod", Format::GoMod),
    ("go.sum", Format::GoSum),
    ("gradle.lockfile", Format::GradleLockfile),
    ("mix.lock", Format::MixLock),
    ("npm-shrinkwrap.json", Format::NpmLock),
    ("package-lock.json", Format::NpmLock),
    (".package-lock.json", Format::NpmLock),
    ("packages.lock.json", Format::NugetLock),
    ("pdm.lock", Format::PdmLock),
    ("pnpm-lock.yaml", Format::PnpmLock),
    ("poetry.lock", Format::PoetryLock),
    ("pom.xml", Format::PomXml),
    ("pubspec.lock", Format::PubspecLock),
    ("pylock.toml", Format::PylockToml),
    ("renv.lock", Format::RenvLock),
    ("requirements.txt", Format::Requirements),
    ("rpm-qa.txt", Format::RpmQuery),
    ("stack.yaml.lock", Format::StackLock),
    ("uv.lock", Format::UvLock),
    ("yarn.lock", Format::YarnLock),
];

impl Format {
    /// How `rpm -qa --queryformat` is asked for a list: fields between tabs, a line for a package.
    /// Name, epoch, version, release, architecture, the file of its source package.
    pub const RPM_QUERY: &'static str =
        r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n";

    /// Every format.
    pub fn all() -> impl Iterator<Item = Self> {
        FORMATS.iter().map(|(format, _, _)| *format)
    }

    /// How files of this format are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut all = FORMATS.iter();
        all.find(|(format, _, _)| *format == self)
            .map_or("", |(_, name, _)| name)
    }

    pub(crate) fn reader(self) -> Reader {
        let mut all = FORMATS.iter();
        all.find(|(format, _, _)| *format == self)
            .map_or(none as Reader, |(_, _, reader)| *reader)
    }
}

fn none(_: &[u8], _: &mut Builder) -> Result<(), ReadError> {
    Err(ReadError::NotAlone {
        format: "this format",
        hint: "it has no reader",
    })
}

/// The format of a file, by its name alone, or by its path where the name says too little
/// (`var/lib/dpkg/status`). Slashes part a path.
#[must_use]
pub fn recognise(path: &str) -> Option<Format> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = |wanted: &str| {
        let rest = folders.strip_suffix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    if let Some((_, format)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*format);
    }
    if name == "status" && folder("var/lib/dpkg") {
        return Some(Format::DpkgStatus);
    }
    if folder("var/lib/dpkg/status.d") && !name.is_empty() && !name.ends_with(".md5sums") {
        return Some(Format::DpkgStatusD);
    }
    if name == "installed" && (folder("lib/apk/db") || folder("usr/lib/apk/db")) {
        return Some(Format::ApkInstalled);
    }
    let inner = |before: &str, after: &str| {
        name.strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some()
    };
    if inner("pylock.", ".toml") {
        return Some(Format::PylockToml);
    }
    if inner("requirements", ".txt")
        || inner("", "requirements.txt")
        || (folder("requirements") && inner("", ".txt"))
    {
        return Some(Format::Requirements);
    }
    if name.ends_with(".cdx.json") {
        return Some(Format::CycloneDx);
    }
    if name.ends_with(".spdx.json") {
        return Some(Format::Spdx);
    }
    if name.ends_with(".deps.json") {
        return Some(Format::DotnetDeps);
    }
    if name.ends_with(".pom") {
        return Some(Format::PomXml);
    }
    None
}
