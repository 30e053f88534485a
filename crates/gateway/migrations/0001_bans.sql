CREATE TABLE gateway_ban (
    id TEXT PRIMARY KEY,
    network TEXT NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    placed_by TEXT NOT NULL
);
