mod databases;
mod format;
mod intervals;
