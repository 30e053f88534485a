//! What tests share: a clock moved by hand, seeded randomness, free ports, and programs under
//! test. Never part of the program.

mod clock;
mod entropy;
mod ports;
mod process;

pub use clock::FakeClock;
pub use entropy::SeededEntropy;
pub use ports::free_addresses;
pub use process::{Process, children, eventually};
