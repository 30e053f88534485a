//! The tables of identity. Secrets stand in them hashed (what is only compared) or sealed (what
//! must be read back).

use store::{Migrations, Step};

/// The migrations of identity.
pub const MIGRATIONS: Migrations = Migrations {
    part: "identity",
    steps: &[
        Step {
            name: "0001_people",
            sql: include_str!("../migrations/0001_people.sql"),
        },
        Step {
            name: "0002_sessions",
            sql: include_str!("../migrations/0002_sessions.sql"),
        },
        Step {
            name: "0003_keys",
            sql: include_str!("../migrations/0003_keys.sql"),
        },
        Step {
            name: "0004_link_ceiling",
            sql: include_str!("../migrations/0004_link_ceiling.sql"),
        },
    ],
};
