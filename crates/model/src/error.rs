//! What sort of failure an error is; each surface maps a kind once to a status, an exit code or a page.

/// The kind of a failed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The caller sent something malformed; the message says what and where.
    Invalid,
    /// The named thing does not exist, or the caller may not know that it does.
    NotFound,
    /// The caller may not do this.
    Denied,
    /// The state changed under the caller, or the name is taken.
    Conflict,
    /// A limit was reached; trying later may work.
    Limit,
    /// Something Rampart needs is away (disk full, database down, sealed).
    Unavailable,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A defect in Rampart; strangers see only the request id.
    Internal,
}
