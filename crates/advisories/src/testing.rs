//! What the tests of several modules are made of.

use std::time::Duration;

use model::Timestamp;

use crate::{
    Advisory, Builder, Ecosystem, Feed, Index, Informational, Origin, Package, Policy, Report,
    Scope, Source, Usage, scan,
};

/// When the tests are.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

pub(crate) const POLICY: Policy = Policy {
    age_max: Duration::from_secs(24 * 3600),
    informational: Informational::Note,
};

/// A feed fetched an hour ago.
pub(crate) fn feed(ecosystem: Ecosystem) -> Feed {
    Feed {
        name: format!("test {}", ecosystem.name()),
        ecosystem,
        fetched: NOW.before(Duration::from_secs(3600)),
    }
}

/// An index of one feed.
pub(crate) fn index(ecosystem: Ecosystem, advisories: &[Advisory]) -> Index {
    let mut builder = Builder::new();
    let id = builder.feed(feed(ecosystem)).unwrap();
    for advisory in advisories {
        builder.add(id, advisory).unwrap();
    }
    builder.finish().unwrap()
}

/// An advisory about one package, with these fields of `affected[0]` and of its own besides.
pub(crate) fn advisory(
    id: &str,
    ecosystem: &str,
    name: &str,
    affected: &str,
    more: &str,
) -> Advisory {
    let text = format!(
        r#"{{"id":"{id}","modified":"2024-01-01T00:00:00Z"{more},"affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},{affected}}}]}}"#
    );
    Advisory::from_json("test", text.as_bytes()).unwrap()
}

/// Ranges of type `ECOSYSTEM`, as `introduced` and `fixed` in turn.
pub(crate) fn fixed(pairs: &[(&str, &str)]) -> String {
    let events = pairs
        .iter()
        .map(|(from, to)| format!(r#"{{"introduced":"{from}"}},{{"fixed":"{to}"}}"#))
        .collect::<Vec<_>>()
        .join(",");
    format!(r#""ranges":[{{"type":"ECOSYSTEM","events":[{events}]}}]"#)
}

pub(crate) fn package(scope: &str, name: &str, version: &str) -> Package {
    Package {
        scope: scope.parse::<Scope>().unwrap(),
        name: name.to_owned(),
        version: version.to_owned(),
        source: None,
        origin: Origin::Registry,
        usage: Usage::Runtime,
        line: 0,
    }
}

pub(crate) fn built_from(mut package: Package, name: &str, version: &str) -> Package {
    package.source = Some(Source {
        name: name.to_owned(),
        version: version.to_owned(),
    });
    package
}

/// What is found of one package.
pub(crate) fn asked(index: &Index, package: &Package) -> Report {
    scan(std::slice::from_ref(package), index, NOW, &POLICY)
}
