use std::path::Path;

use model::{Clock as _, Diagnostic};
use net::{Authority, Purpose};
use testkit::{FakeClock, SeededEntropy};

use super::files::{Files, News};
use super::*;

const HOST: &str = "a.shop.de";

struct Ground {
    folder: tempfile::TempDir,
    clock: FakeClock,
    authority: Authority,
}

impl Ground {
    fn new() -> Self {
        let clock = FakeClock::new();
        let authority = Authority::create("test", &clock, &SeededEntropy::new(1)).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock,
            authority,
        }
    }

    fn files(&self) -> Files {
        Files::new(self.folder.path())
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        ::store::atomic_write(Path::new(&path), text.as_bytes(), 0o600).unwrap();
    }

    /// Writes a new certificate for `host` into `a.pem` and `a.key`.
    fn renew(&self, host: &str, seed: u64) -> Certificate {
        let hosts = [host.to_owned()];
        let made = self.authority.issue(
            &hosts,
            Purpose::Server,
            &self.clock,
            &SeededEntropy::new(seed),
        );
        let made = made.unwrap();
        self.write(
            "a.pem",
            &format!("{}{}", made.chain, self.authority.certificate()),
        );
        self.write("a.key", made.key.expose());
        made
    }

    fn load(&self, files: &mut Files) -> Result<Vec<Certificate>, Vec<Diagnostic>> {
        files.load(&estate(1), self.clock.now())
    }
}

/// An estate with so many certificates for one host.
fn estate(count: usize) -> Estate {
    let one =
        format!("[[certificate]]\nhosts = [\"{HOST}\"]\nchain = \"a.pem\"\nkey = \"a.key\"\n");
    let text = format!(
        "[estate]\nname = \"s\"\ndomain = \"shop.de\"\n{}[[zone]]\nname = \"z\"\n[[service]]\n\
         name = \"w\"\naddress = \"127.0.0.1:8000\"\n[[route]]\nhost = \"a\"\npath = \"/**\"\n\
         to = \"w\"\nauth = \"none\"\n",
        one.repeat(count)
    );
    Estate::parse(&text)
        .unwrap_or_else(|list| panic!("{list:?}"))
        .estate
}

#[test]
fn new_file_is_served_once_it_has_settled_and_a_bad_one_keeps_the_old() {
    let ground = Ground::new();
    let (mut files, estate) = (ground.files(), estate(1));
    ground.renew(HOST, 2);
    ground.load(&mut files).unwrap();
    assert!(!files.is_changed(&estate) && !files.is_changed(&estate));
    let second = ground.renew(HOST, 3);
    assert!(!files.is_changed(&estate), "it may be half written");
    assert!(files.is_changed(&estate));
    let now = ground.clock.now();
    let (served, news) = files.reload(&estate, now);
    assert!(served[0].chain.starts_with(&second.chain));
    assert!(matches!(news.as_slice(), [News::Replaced { file, .. }] if file == "a.pem"));
    assert!(!files.is_changed(&estate));
    for (chain, why) in [
        ("", "holds no certificate"),
        (ground.authority.certificate(), "another certificate"),
    ] {
        ground.write("a.pem", chain);
        assert!(!files.is_changed(&estate));
        assert!(files.is_changed(&estate));
        let (served, news) = files.reload(&estate, now);
        assert!(served[0].chain.starts_with(&second.chain), "the old stays");
        let [News::Refused { why: said, .. }] = news.as_slice() else {
            panic!("{news:?}");
        };
        assert!(said.contains(why), "{said}");
        assert!(
            files.states(&estate)[0]
                .error
                .as_ref()
                .unwrap()
                .contains(why)
        );
        // It is said once.
        assert_eq!(files.reload(&estate, now).1, []);
    }
    ground.renew(HOST, 4);
    assert!(!files.is_changed(&estate) && files.is_changed(&estate));
    assert_eq!(files.reload(&estate, now).1.len(), 1);
    assert_eq!(files.states(&estate)[0].error, None);
}

#[test]
fn files_that_cannot_be_served_are_refused_when_an_estate_is_applied() {
    let ground = Ground::new();
    let code = |files: &mut Files, estate: &Estate, now| -> Vec<String> {
        let list = files.load(estate, now).unwrap_err();
        list.into_iter().map(|one| one.code.into_owned()).collect()
    };
    let (mut files, now) = (ground.files(), ground.clock.now());
    assert_eq!(code(&mut files, &estate(1), now), ["certificate.unusable"]);
    ground.renew("b.shop.de", 2);
    assert_eq!(
        code(&mut files, &estate(1), now),
        ["certificate.other_names"]
    );
    ground.renew(HOST, 3);
    let late = now.after(Duration::from_hours(61 * 24));
    assert_eq!(code(&mut files, &estate(1), late), ["certificate.ended"]);
    assert_eq!(code(&mut files, &estate(2), now), ["certificate.same_kind"]);
    assert_eq!(ground.load(&mut files).unwrap().len(), 1);
}

#[test]
fn certificate_that_ends_soon_is_said_once() {
    let ground = Ground::new();
    let mut files = ground.files();
    ground.renew(HOST, 2);
    ground.load(&mut files).unwrap();
    ground.clock.advance(Duration::from_hours(45 * 24));
    assert_eq!(files.reload(&estate(1), ground.clock.now()).1, []);
    ground.clock.advance(Duration::from_hours(2 * 24));
    let (_, news) = files.reload(&estate(1), ground.clock.now());
    assert!(matches!(news.as_slice(), [News::Ending { .. }]), "{news:?}");
    assert_eq!(files.reload(&estate(1), ground.clock.now()).1, []);
}
