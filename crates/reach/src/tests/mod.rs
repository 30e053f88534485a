//! Whole policies: proved, damaged, and put to work.

mod change;
pub(crate) mod fleet;
#[path = "../../tests/generate.rs"]
pub(crate) mod generate;
mod generated;
mod hostile;
mod mutants;
mod nft;
mod oracle;
mod probes;
mod wire;
