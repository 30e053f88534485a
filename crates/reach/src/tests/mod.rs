//! Whole policies: proved, damaged, and put to work.

pub(crate) mod fleet;
#[path = "../../tests/generate.rs"]
pub(crate) mod generate;
mod generated;
mod hostile;
mod mutants;
mod nft;
mod oracle;
mod wire;
