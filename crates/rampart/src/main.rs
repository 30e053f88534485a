//! Rampart: one program that defends a backend.

mod logging;
mod paths;
mod sockets;
mod supervise;
mod users;

fn main() {}
