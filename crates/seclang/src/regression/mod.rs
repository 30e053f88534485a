//! Regression tests of rules, in the format of the OWASP Core Rule Set (YAML of `go-ftw`): a
//! request is made as that program makes it, put through a [`Transaction`](crate::Transaction),
//! and what matched is held against what the test expects.
//!
//! Nothing is sent anywhere. A service that mirrors what it is asked to (`/reflect`) is stood in
//! for; every other path is answered with an empty page.

mod cases;
mod request;
mod run;
mod service;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod yaml;

pub use cases::{Case, Expectation, Input, Stage, parse};
pub use request::{Wire, wire, written};
pub use run::{CaseOutcome, Report, StageOutcome, run, run_case};
pub use table::parse_table;

/// What the tests of the Core Rule Set need besides its own files: rules only detect, every
/// paranoia level counts, and the limits that tests probe are low. To be loaded after
/// `crs-setup.conf` and before `rules/`.
pub const CRS_SETUP: &str = r#"
SecAction "id:900005,phase:1,nolog,pass,t:none,\
    ctl:ruleEngine=DetectionOnly,\
    setvar:tx.blocking_paranoia_level=4,\
    setvar:tx.crs_validate_utf8_encoding=1,\
    setvar:tx.arg_name_length=100,\
    setvar:tx.arg_length=400,\
    setvar:tx.total_arg_length=64000,\
    setvar:tx.max_num_args=255,\
    setvar:tx.max_file_size=64100,\
    setvar:tx.combined_file_sizes=65535"
"#;
