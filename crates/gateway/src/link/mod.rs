//! The link between control and the gateways: the estate, identity and keys one way, records and
//! counts the other.

pub(crate) mod protocol;
