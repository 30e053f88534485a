CREATE TABLE acme_account (
    directory TEXT PRIMARY KEY,
    contact TEXT NOT NULL,
    sealed BLOB NOT NULL
);

CREATE TABLE acme_certificate (
    host TEXT PRIMARY KEY,
    directory TEXT NOT NULL,
    chain TEXT NOT NULL,
    sealed BLOB NOT NULL,
    until INTEGER NOT NULL,
    issued INTEGER NOT NULL
);

CREATE TABLE acme_try (
    host TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    next INTEGER NOT NULL,
    error TEXT NOT NULL
);
