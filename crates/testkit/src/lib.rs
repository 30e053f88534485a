//! What tests share: a clock moved by hand, seeded randomness and damage, a small estate, HTTP/2 frames by hand,
//! free ports, and programs under test. Never part of the program.

mod clock;
mod entropy;
mod estate;
pub mod frames;
mod mutate;
mod ports;
mod process;
mod redis;

pub use clock::FakeClock;
pub use entropy::SeededEntropy;
pub use estate::small_estate;
pub use mutate::{Mutator, fuzz, told};
pub use ports::free_addresses;
pub use process::{Process, children, eventually};
pub use redis::RedisServer;
