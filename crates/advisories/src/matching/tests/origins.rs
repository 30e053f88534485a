//! Packages that do not come from a registry.

use crate::testing::{advisory, asked, index, package};
use crate::{Decision, Ecosystem, Index, Origin, Package, Reason, Status};

const RANGE: &str = r#""ranges":[{"type":"GIT","repo":"https://github.com/a/b.git","events":[{"introduced":"0"},{"introduced":"aaaa"},{"fixed":"bbbb"},{"last_affected":"cccc"}]},{"type":"SEMVER","events":[{"introduced":"0"}]}]"#;

fn of(origin: Origin) -> Package {
    Package {
        origin,
        ..package("npm", "a", "1.0.0")
    }
}

fn git(address: &str, commit: Option<&str>) -> Package {
    of(Origin::Git {
        address: address.to_owned(),
        commit: commit.map(str::to_owned),
    })
}

fn sample() -> Index {
    index(Ecosystem::Npm, &[advisory("A-1", "npm", "a", RANGE, "")])
}

#[test]
fn a_commit_that_an_advisory_names_as_affected_is_affected() {
    for commit in ["aaaa", "CCCC"] {
        let report = asked(&sample(), &git("git@github.com:a/b", Some(commit)));
        let verdict = &report.verdicts[0];
        assert_eq!(verdict.status(), Status::Affected, "{commit}");
        assert_eq!(
            verdict.findings[0].causes[0].decision,
            Decision::Commit(commit.to_owned())
        );
    }
}

#[test]
fn of_every_other_origin_nothing_is_known() {
    let index = sample();
    assert_eq!(
        asked(&index, &package("npm", "a", "1.0.0")).verdicts[0].status(),
        Status::Affected
    );
    for package in [
        git("https://github.com/a/b", Some("bbbb")),
        git("https://github.com/a/b", Some("0")),
        git("https://github.com/a/b", Some("dddd")),
        git("https://github.com/a/b", None),
        git("https://github.com/a/other", Some("aaaa")),
        of(Origin::Address("https://example.com/a.tgz".to_owned())),
        of(Origin::Path("../a".to_owned())),
    ] {
        let report = asked(&index, &package);
        let status = report.verdicts[0].status();
        assert_eq!(status, Status::Unknown(&Reason::Origin), "{package:?}");
    }
}
