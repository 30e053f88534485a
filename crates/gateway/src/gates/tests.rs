use model::Clock as _;
use net::{Authority, Purpose};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use testkit::SeededEntropy;

use super::*;

struct Ground {
    folder: tempfile::TempDir,
    maker: Maker,
}

fn write(path: &Path, text: &str) {
    store::atomic_write(path, text.as_bytes(), 0o600).unwrap();
}

fn authority(seed: u64) -> Authority {
    let clock = model::SystemClock::new();
    Authority::create("clients", &clock, &SeededEntropy::new(seed)).unwrap()
}

fn shown(authority: &Authority) -> PeerCertificate {
    let hosts = ["billing.internal".to_owned()];
    let clock = model::SystemClock::new();
    let leaf = authority
        .issue(&hosts, Purpose::Client, &clock, &SeededEntropy::new(3))
        .unwrap();
    let leaf = CertificateDer::from_pem_slice(leaf.chain.as_bytes()).unwrap();
    PeerCertificate::read(&[leaf]).unwrap()
}

impl Ground {
    fn new(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.pem"), authority.certificate());
        write(&folder.path().join("b.pem"), authority.certificate());
        let maker = Maker {
            certificates: Arc::new(Certificates::new()),
            clock: Arc::new(model::SystemClock::new()),
            base: folder.path().to_path_buf(),
        };
        Self { folder, maker }
    }

    fn gates(&self, asked: &str, before: Option<&Gates>) -> Result<Gates, Error> {
        let text = format!("[estate]\nname = \"s\"\ndomain = \"s.example\"\n{asked}");
        let estate = Estate::parse(&text).unwrap().estate;
        Ok(Gates::new(&estate, &self.maker, before)?.unwrap())
    }
}

const TWO: &str = "[[listen.client_certificates]]\nauthorities = \"a.pem\"\nhosts = [\"one\", \"two\"]\n\
    [[listen.client_certificates]]\nauthorities = \"b.pem\"\nmode = \"require\"\nhosts = [\"three\"]\n";
const EVERY: &str = "[[listen.client_certificates]]\nauthorities = \"a.pem\"\n";

#[test]
fn gate_is_of_the_hosts_it_names_and_never_of_the_console() {
    let ground = Ground::new(&authority(1));
    let gates = ground.gates(TWO, None).unwrap();
    let gate = |host: &str| gates.of(host);
    assert!(Arc::ptr_eq(
        gate("one.s.example").unwrap(),
        gate("two.s.example").unwrap()
    ));
    assert!(!gate("one.s.example").unwrap().requires());
    assert!(gate("three.s.example").unwrap().requires());
    assert!(gate("four.s.example").is_none() && gate("").is_none());
    let every = ground.gates(EVERY, None).unwrap();
    assert!(every.of("any.s.example").is_some() && every.of("").is_some());
    assert!(every.of("rampart.s.example").is_none());
}

#[test]
fn gate_outlives_an_estate_that_says_the_same_of_it() {
    let ground = Ground::new(&authority(1));
    let first = ground.gates(TWO, None).unwrap();
    let more = TWO.replace("\"two\"", "\"two\", \"five\"");
    let second = ground.gates(&more, Some(&first)).unwrap();
    let (one, five) = (first.of("one.s.example"), second.of("five.s.example"));
    assert!(Arc::ptr_eq(one.unwrap(), five.unwrap()));
    let stricter = TWO.replace("a.pem\"\n", "a.pem\"\nmode = \"require\"\n");
    let third = ground.gates(&stricter, Some(&first)).unwrap();
    let changed = third.of("one.s.example").unwrap();
    assert!(
        !Arc::ptr_eq(one.unwrap(), changed),
        "who came by the old one connects anew"
    );
}

#[test]
fn certificate_counts_by_the_files_of_now_without_a_new_connection() {
    let (old, new) = (authority(1), authority(2));
    let ground = Ground::new(&old);
    let gates = ground.gates(EVERY, None).unwrap();
    let gate = gates.of("one.s.example").unwrap();
    let admitted = Admitted::new(Arc::clone(gate), Some(shown(&old)));
    let now = model::SystemClock::new().now();
    assert!(admitted.holds(now));
    let day = Duration::from_secs(24 * 3600);
    assert!(
        !admitted.holds(now.after(61 * day)),
        "it ends while the connection lasts"
    );
    assert!(admitted.holds(now));
    let config = gate.config();
    gate.reload().unwrap();
    assert!(Arc::ptr_eq(&config, &gate.config()), "nothing changed");
    let path = ground.folder.path().join("a.pem");
    write(&path, "nothing");
    assert!(gate.reload().is_err());
    assert!(admitted.holds(now), "what cannot be read changes nothing");
    write(&path, new.certificate());
    gate.reload().unwrap();
    assert!(!admitted.holds(now), "its authority is none any more");
    assert!(Admitted::new(Arc::clone(gate), Some(shown(&new))).holds(now));
    assert!(Admitted::new(Arc::clone(gate), None).holds(now));
}

#[test]
fn missing_file_refuses_the_estate() {
    let ground = Ground::new(&authority(1));
    let missing = EVERY.replace("a.pem", "gone.pem");
    assert!(ground.gates(&missing, None).is_err());
    let lists = format!("{EVERY}crls = [\"gone.crl\"]\n");
    assert!(ground.gates(&lists, None).is_err());
}
