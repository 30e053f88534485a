//! The whole console, asked as the gateway asks it.
