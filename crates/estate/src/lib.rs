//! The estate, `rampart.toml`: parse it, report every error at once with its place, and derive
//! what the parts need from it. Pure: text in, values out.

mod model;
mod path;

pub use model::*;
