CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL REFERENCES person (id),
    permissions TEXT NOT NULL,
    networks TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    seen_at INTEGER
);
CREATE UNIQUE INDEX api_key_digest ON api_key (digest);
CREATE INDEX api_key_owner ON api_key (owner);
CREATE TABLE token_key (
    id TEXT PRIMARY KEY,
    seed BLOB NOT NULL,
    x TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    retire_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL
);
CREATE TABLE revoked_token (
    jti TEXT PRIMARY KEY,
    until INTEGER NOT NULL
);
