mod databases;
mod format;
mod intervals;
mod names;
