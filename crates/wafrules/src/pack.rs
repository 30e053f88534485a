//! The pack's texts, in the order in which they are loaded; and how they are set.

use seclang::regression::{Case, parse_table};
use seclang::{Error, Leniency, Loaded, Loader, NoFiles};

macro_rules! texts {
    ($folder:literal, $suffix:literal: $($name:literal)*) => {
        &[$((
            concat!($name, $suffix),
            include_str!(concat!("../rules/", $folder, $name, $suffix)),
        )),*]
    };
}

const FILES: &[(&str, &str)] = texts!("", ".conf":
    "rampart-setup"
    "rampart-levels"
    "protocol-abuse"
    "scanners"
    "sql-injection"
    "cross-site-scripting"
    "path-traversal"
    "command-injection"
    "server-side-request-forgery"
    "template-injection"
    "xml-external-entities"
    "nosql-injection"
    "deserialisation"
    "rampart-verdict"
);

const TESTS: &[(&str, &str)] = texts!("tests/", ".txt":
    "protocol-abuse"
    "scanners"
    "sql-injection"
    "cross-site-scripting"
    "path-traversal"
    "command-injection"
    "server-side-request-forgery"
    "template-injection"
    "xml-external-entities"
    "nosql-injection"
    "deserialisation"
);

/// The highest paranoia level.
pub const LEVEL_MAX: u8 = 4;

/// The TX variable with the sum of what has matched.
pub const SCORE: &str = "rampart_score";

/// The TX variable with the score from which a request is refused.
pub const THRESHOLD: &str = "rampart_threshold";

/// The TX variable with the paranoia level that counts.
pub const PARANOIA: &str = "rampart_paranoia";

/// Name and text of every file of rules, in the order in which they are to be loaded: the first is
/// `rampart-setup.conf`, without which the others have no meaning, and the last decides.
#[must_use]
pub fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// Name and text of the tables of tests, one for each file of rules about a class of attacks. Their
/// format is [`seclang::regression::parse_table`]'s.
#[must_use]
pub fn tables() -> &'static [(&'static str, &'static str)] {
    TESTS
}

/// What whoever loads the pack chooses. The defaults are the pack's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// 1 to 4: rules of higher levels do not run.
    pub paranoia: u8,
    /// The score from which a request is refused. A match of a critical rule scores 5.
    pub threshold: u32,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            paranoia: 1,
            threshold: 5,
        }
    }
}

impl Setting {
    /// A text of rules that says so, to be loaded before `rampart-levels.conf`.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "SecAction \"id:25000001,phase:1,pass,nolog,setvar:tx.{PARANOIA}={},\
             setvar:tx.{THRESHOLD}={}\"\n",
            self.paranoia.clamp(1, LEVEL_MAX),
            self.threshold,
        )
    }
}

/// Loads the pack alone.
///
/// # Errors
/// [`Error::Rules`] when the engine refuses a rule of it, which a test of this crate excludes.
pub fn load(setting: Setting) -> Result<Loaded, Error> {
    let mut loader = Loader::new(&NoFiles, Leniency::Strict);
    loader.text("setting", setting.text().as_bytes());
    for (name, text) in FILES {
        loader.text(name, text.as_bytes());
    }
    loader.finish()
}

/// Every test of the pack.
///
/// # Errors
/// [`Error::Tests`] when a table is none, which a test of this crate excludes.
pub fn cases() -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for (name, text) in TESTS {
        cases.extend(parse_table(name, text)?);
    }
    Ok(cases)
}
