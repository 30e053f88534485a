//! trail.
