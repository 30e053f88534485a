//! rampart.
fn main() {}
