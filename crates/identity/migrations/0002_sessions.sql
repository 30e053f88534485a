CREATE TABLE session (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    host TEXT,
    parent TEXT,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    authenticated_at INTEGER NOT NULL,
    methods TEXT NOT NULL,
    idle_at INTEGER NOT NULL,
    absolute_at INTEGER NOT NULL,
    address TEXT,
    device TEXT NOT NULL
);
CREATE UNIQUE INDEX session_digest ON session (digest);
CREATE INDEX session_person ON session (person);
CREATE INDEX session_parent ON session (parent);
CREATE TABLE sign_in (
    digest BLOB PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    tries INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE TABLE origin_code (
    digest BLOB PRIMARY KEY,
    session TEXT NOT NULL,
    host TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE TABLE attempt (
    bucket TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    last_at INTEGER NOT NULL
);
