//! The text of rules: lines, words, targets and actions. What it means is the loader's to say.

pub(crate) mod actions;
pub(crate) mod ctl;
pub(crate) mod lines;
pub(crate) mod targets;
#[cfg(test)]
mod tests;
pub(crate) mod words;
