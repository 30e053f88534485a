//! Whether the address is banned.

use http::StatusCode;

use crate::flow::Flow;
use crate::refused::Refused;

/// Refuses banned addresses, before anything else is looked at.
pub(crate) fn check(flow: &Flow<'_>) -> Result<(), Refused> {
    match flow.shared.directory.ban(flow.client, flow.time) {
        None => Ok(()),
        // The reason is for the team, not for whoever is banned.
        Some(_) => Err(Refused::new(
            StatusCode::FORBIDDEN,
            "ban.address",
            "this address is banned",
        )),
    }
}
