use std::sync::atomic::Ordering;

use super::fetch::tests::{Server, ok};
use super::token::tests::{Signer, at, claims, head, issuer};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const DIGEST: Digest = [1; 32];

fn write(folder: &Path, text: &str) {
    store::atomic_write(&folder.join("keys.json"), text.as_bytes(), 0o600).unwrap();
}

fn of_file(folder: &Path, text: &str) -> Result<Issuer, Error> {
    write(folder, text);
    Issuer::new(issuer("file = \"keys.json\""), folder)
}

fn all(issuer: &Arc<Issuer>) -> Issuers {
    let by_url = [(issuer.settings.url.clone(), Arc::clone(issuer))];
    Issuers {
        by_url: by_url.into_iter().collect(),
    }
}

/// One that asks `server`.
fn of_server(server: &Server) -> Arc<Issuer> {
    Arc::new(Issuer {
        settings: issuer("keys_keep = \"1h\""),
        source: Source::Jwks(server.url("/keys"), Arc::clone(&server.trust)),
        keys: ArcSwapOption::empty(),
        plan: Mutex::default(),
        asked: watch::Sender::new(0),
    })
}

async fn ask(issuer: &Arc<Issuer>, now: Duration) -> bool {
    let begun = issuer.begin(now);
    if begun {
        Arc::clone(issuer).refresh(move || now).await;
    }
    begun
}

#[tokio::test]
async fn keys_are_asked_for_at_once_then_every_five_minutes() {
    let keys = Signer::new(1).jwks("");
    let server = Server::start(move |_| ok(&keys)).await;
    let issuer = of_server(&server);
    assert!(issuer.keys(Duration::ZERO).is_none());
    assert!(ask(&issuer, Duration::ZERO).await);
    assert!(issuer.keys(Duration::ZERO).unwrap().knows("ed"));
    assert!(!ask(&issuer, REFRESH - Duration::from_secs(1)).await);
    let before = issuer.keys(REFRESH).unwrap();
    assert!(ask(&issuer, REFRESH).await);
    assert!(
        Arc::ptr_eq(&before, &issuer.keys(REFRESH).unwrap()),
        "the same keys stay"
    );
}

#[tokio::test]
async fn last_keys_are_kept_as_long_as_the_estate_says_and_no_longer() {
    let server =
        Server::start(|_| b"HTTP/1.1 500 Away\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let issuer = of_server(&server);
    issuer
        .hold(Signer::new(1).jwks("").as_bytes(), Duration::ZERO)
        .unwrap();
    assert!(ask(&issuer, 10 * MINUTE).await);
    assert!(issuer.keys(10 * MINUTE).is_some(), "the last ones stay");
    assert!(
        !ask(&issuer, 10 * MINUTE + Duration::from_secs(4)).await,
        "not at once again"
    );
    assert!(ask(&issuer, 10 * MINUTE + Duration::from_secs(5)).await);
    assert!(issuer.keys(60 * MINUTE).is_some());
    assert!(issuer.keys(61 * MINUTE).is_none(), "then it fails closed");
    let text = Signer::new(1).sign(&head("ed"), &claims().to_string());
    let remembered = Remembered::default();
    let verify = |now| remembered.verify(&all(&issuer), (&text, DIGEST), (at(0), now));
    assert!(verify(60 * MINUTE).unwrap().is_ok());
    assert_eq!(
        verify(61 * MINUTE).unwrap().unwrap_err(),
        Why::NoKeys,
        "remembered or not"
    );
}

#[tokio::test]
async fn rotated_key_is_found_by_the_first_token_that_names_it() {
    let server = Server::start(|_| ok(&Signer::new(2).jwks("new-"))).await;
    let issuer = of_server(&server);
    issuer
        .hold(Signer::new(1).jwks("").as_bytes(), Duration::ZERO)
        .unwrap();
    let keeper = Notify::new();
    let now = MINUTE;
    let asking = async {
        keeper.notified().await;
        assert!(ask(&issuer, now).await);
    };
    tokio::join!(issuer.settle(now, &keeper), asking);
    let remembered = Remembered::default();
    let text = Signer::new(2).sign(&head("new-ed"), &claims().to_string());
    let said = remembered.verify(&all(&issuer), (&text, DIGEST), (at(0), now));
    assert!(said.unwrap().is_ok());
    let old = Signer::new(1).sign(&head("ed"), &claims().to_string());
    let said = remembered.verify(&all(&issuer), (&old, [2; 32]), (at(0), now));
    assert_eq!(
        said.unwrap().unwrap_err(),
        Why::Key,
        "what was taken back counts no more"
    );
}

#[tokio::test]
async fn flood_of_unknown_keys_asks_once_in_half_a_minute() {
    let server = Server::start(|_| ok(&Signer::new(1).jwks(""))).await;
    let issuer = of_server(&server);
    let keeper = Notify::new();
    let mut began = 0;
    for second in 0..90_u64 {
        for _ in 0..50 {
            // Nobody waits here: only what is planned counts.
            drop(issuer.ask_anew(Duration::from_secs(second), &keeper));
        }
        if ask(&issuer, Duration::from_secs(second)).await {
            began += 1;
        }
    }
    assert_eq!(began, 3);
    assert_eq!(server.asked.load(Ordering::SeqCst), 3);
    assert!(issuer.begin(Duration::from_secs(1000)));
    assert!(
        !issuer.begin(Duration::from_secs(1000)),
        "one question at a time"
    );
    let waiting = issuer.ask_anew(Duration::from_secs(1001), &keeper);
    assert!(
        waiting.is_some(),
        "who comes while it is under way waits for the same answer"
    );
}

#[tokio::test]
async fn file_is_read_at_once_and_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Arc::new(of_file(folder.path(), &Signer::new(1).jwks("")).unwrap());
    let late = Duration::from_secs(10_000_000);
    assert!(
        issuer.keys(late).unwrap().knows("ed"),
        "a file does not grow old"
    );
    write(folder.path(), &Signer::new(2).jwks("new-"));
    assert!(ask(&issuer, late).await);
    assert!(issuer.keys(late).unwrap().knows("new-ed"));
    write(folder.path(), "half of a fi");
    assert!(ask(&issuer, late + MINUTE).await);
    assert!(
        issuer.keys(late).unwrap().knows("new-ed"),
        "the last good one stays"
    );
    let broken = of_file(folder.path(), "nonsense").unwrap_err();
    assert_eq!(broken.to_string(), "issuer `corp`: this is no JWK set");
}

#[test]
fn verified_token_is_remembered_only_while_its_issuer_and_keys_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Arc::new(of_file(folder.path(), &Signer::new(1).jwks("")).unwrap());
    let text = Signer::new(1).sign(&head("ed"), &claims().to_string());
    let remembered = Remembered::default();
    let verify = |issuers: &Issuers, second| {
        remembered.verify(issuers, (&text, DIGEST), (at(second), Duration::ZERO))
    };
    let first = verify(&all(&issuer), 0).unwrap().unwrap();
    let again = verify(&all(&issuer), 1).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again), "verified once");
    assert_eq!(verify(&all(&issuer), 90).unwrap().unwrap_err(), Why::Ended);
    // The estate says something else of it now.
    let changed = Arc::new(of_file(folder.path(), &Signer::new(1).jwks("")).unwrap());
    let anew = verify(&all(&changed), 1).unwrap().unwrap();
    assert!(!Arc::ptr_eq(&first, &anew));
    issuer
        .hold(Signer::new(2).jwks("").as_bytes(), Duration::ZERO)
        .unwrap();
    assert_eq!(
        verify(&all(&issuer), 1).unwrap().unwrap_err(),
        Why::Signature
    );
    assert!(
        verify(&Issuers::default(), 1).is_none(),
        "an issuer that is gone is nobody"
    );
}

#[test]
fn token_of_an_answer_that_goes_on_ends_with_its_key_whatever_the_next_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Arc::new(of_file(folder.path(), &Signer::new(1).jwks("")).unwrap());
    let text = Signer::new(1).sign(&head("ed"), &claims().to_string());
    let now = (at(0), Duration::ZERO);
    let all = all(&issuer);
    let token = Remembered::default().verify(&all, (&text, DIGEST), now);
    let token = token.unwrap().unwrap();
    assert_eq!(all.still_hold(&token, now), Ok(()));
    // Another key comes beside it, and then in its place.
    let (first, second) = (Signer::new(1).jwks(""), Signer::new(2).jwks("new-"));
    let list = |text: &str| {
        text.trim_start_matches("{\"keys\":[")
            .trim_end_matches("]}")
            .to_owned()
    };
    let both = format!("{{\"keys\":[{},{}]}}", list(&first), list(&second));
    issuer.hold(both.as_bytes(), Duration::ZERO).unwrap();
    assert_eq!(all.still_hold(&token, now), Ok(()));
    let replaced = Signer::new(2).jwks("");
    issuer.hold(replaced.as_bytes(), Duration::ZERO).unwrap();
    assert_eq!(all.still_hold(&token, now), Err(Why::Key));
}
