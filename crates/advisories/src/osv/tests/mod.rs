mod databases;
mod hostile;
mod records;
mod requirements;

pub(crate) use databases::{pypa, rustsec};
