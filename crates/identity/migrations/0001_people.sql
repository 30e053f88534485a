CREATE TABLE person (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX person_login ON person (login);
CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    secret BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX credential_person ON credential (person, kind);
CREATE TABLE enrolment (
    digest BLOB PRIMARY KEY,
    id TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person (id),
    purpose TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX enrolment_person ON enrolment (person);
CREATE TABLE binding (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
);
CREATE UNIQUE INDEX binding_once ON binding (person, kind, name);
