//! Questions to a policy. Answers come from what flows say; which rule of which host does it comes
//! from what the host is given.

mod closure;
mod diff;
mod explain;
mod held;
#[cfg(test)]
mod tests;

pub use closure::{Closure, Path, Reach};
pub use diff::{Change, Diff, Tuple};
pub use explain::{Decision, End, Explanation};
pub use held::{Breach, Outcome};
