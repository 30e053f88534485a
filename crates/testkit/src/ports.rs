//! Free TCP ports on loopback.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// `N` loopback addresses that were free a moment ago, all different.
///
/// The kernel hands out other ports for a while after these, so that two tests at once do not
/// meet on one.
///
/// # Errors
/// When the machine has no free port left.
pub fn free_addresses<const N: usize>() -> std::io::Result<[SocketAddr; N]> {
    let unset = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut listeners = Vec::with_capacity(N);
    let mut addresses = [unset; N];
    for address in &mut addresses {
        let listener = TcpListener::bind(unset)?;
        *address = listener.local_addr()?;
        listeners.push(listener);
    }
    Ok(addresses)
}
