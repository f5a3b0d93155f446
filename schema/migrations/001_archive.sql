-- The archive of one site. docs/archive.md explains it.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,               -- 'id', 'site'
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the last commit reached: chain, and the site's commit counter.
CREATE TABLE chain (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n INTEGER NOT NULL,                 -- rows in entries
    head BLOB NOT NULL,                 -- hash of row n
    mac BLOB NOT NULL,                  -- keyed hash of (n, head); the key is in another file
    epoch TEXT NOT NULL,                -- the cursor: (epoch, counter)
    counter INTEGER NOT NULL
) STRICT;

-- One row an entry of a log. Rows are added and never deleted; erasure nulls body and salt alone.
CREATE TABLE entries (
    n INTEGER PRIMARY KEY,              -- place in the chain, from 1 without gap
    log TEXT NOT NULL,                  -- chat id, or another log's; '@reviews' and '@audit' are the archive's own
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,                -- epoch ms
    kind TEXT NOT NULL,
    person TEXT NOT NULL,               -- who sent the command; empty: the system
    ref TEXT,                           -- its id; NULL: none
    body TEXT,                          -- the event's frame, exactly as sent to a rep; NULL: erased
    salt BLOB,                          -- 16 random bytes; NULL: erased
    sum BLOB NOT NULL,                  -- H(salt, body)
    hash BLOB NOT NULL                  -- H(hash of row n - 1, n, log, seq, at, kind, sum)
) STRICT;
CREATE UNIQUE INDEX entries_seq ON entries (log, seq);
CREATE UNIQUE INDEX entries_ref ON entries (log, person, ref) WHERE ref IS NOT NULL;

-- What an entry said that was refused for good.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    frame TEXT NOT NULL,
    sum BLOB NOT NULL,                  -- H(frame)
    why TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    UNIQUE (log, seq, sum)
) STRICT;

-- Seqs that a log will never have: what lies between two lives of the live data, and what is in quarantine.
CREATE TABLE holes (
    log TEXT NOT NULL,
    after INTEGER NOT NULL,             -- last seq before the hole
    before INTEGER NOT NULL,            -- first seq behind it
    PRIMARY KEY (log, after)
) STRICT, WITHOUT ROWID;

-- Commands that stand at two seqs, because the live data lost the first one and the sender repeated it.
CREATE TABLE moved (
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    of INTEGER NOT NULL,                -- where it stands first
    PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- Derived from here on: a fold of entries.

CREATE TABLE chats (
    place INTEGER PRIMARY KEY,          -- started * 4, or the next free one: the order of lists
    chat TEXT NOT NULL UNIQUE,
    head INTEGER NOT NULL,              -- last seq
    entries INTEGER NOT NULL,
    site TEXT,
    department TEXT,
    shopper TEXT,
    shopper_name TEXT,
    owner TEXT,
    owner_name TEXT,
    handler TEXT,
    handler_name TEXT,
    state TEXT NOT NULL,
    started INTEGER NOT NULL,
    ended INTEGER,
    rating INTEGER,
    messages INTEGER NOT NULL,
    handovers INTEGER NOT NULL,
    owner_changed INTEGER NOT NULL,     -- 0 or 1
    complete INTEGER NOT NULL,          -- 0: it has a hole
    tags TEXT                           -- JSON list; NULL: none
) STRICT;
CREATE INDEX chats_department ON chats (department, place);
CREATE INDEX chats_shopper ON chats (shopper, place);

-- Staff who had to do with a chat: 1 owned, 2 handled, 4 was consulted, 8 joined.
CREATE TABLE chat_people (
    person TEXT NOT NULL,
    place INTEGER NOT NULL,
    part INTEGER NOT NULL,
    PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_tags (
    tag TEXT NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (tag, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE reviews (
    n INTEGER PRIMARY KEY,              -- the entry (log '@reviews') that holds it
    chat TEXT NOT NULL
) STRICT;
CREATE INDEX reviews_chat ON reviews (chat, n);

-- Words of what was said. rowid = place * 2^19 + number of the entry in its chat, from 0.
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', columnsize = 0, detail = full, tokenize = 'words');
