//! What tests share: a clock moved by hand, seeded randomness, and a running server on port 0.
//! Never part of the program.

mod clock;
mod entropy;

pub use clock::FakeClock;
pub use entropy::SeededEntropy;
