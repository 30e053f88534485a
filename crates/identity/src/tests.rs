//! What identity promises, on both engines: SQLite always, PostgreSQL when
//! `RAMPART_TEST_POSTGRES` names a server where databases may be made.

mod at_once;
mod enrolment;
mod fixture;
mod gateway_feed;
mod key_lists;
mod keys_and_tokens;
mod rights;
mod sessions;
mod sign_in;

/// Runs each claim on both engines.
macro_rules! on_both {
    ($($name:ident)*) => { $(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$name(crate::tests::fixture::Ground::sqlite()).await;
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(ground) = crate::tests::fixture::Ground::postgres().await {
                    super::$name(ground).await;
                }
            }
        }
    )* };
}
use on_both;
