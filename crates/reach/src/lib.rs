//! What can reach what: zones, services and permitted flows compiled to rules for each host's
//! firewall, and the rules read back and proved against what was meant.
//!
//! It never touches a firewall, a file or a clock, and has no randomness and no runtime; hostile
//! input is a value, never a panic.
