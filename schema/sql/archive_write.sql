-- Statements of the writing connection, each under its name.

-- :begin
BEGIN IMMEDIATE;

-- :commit
COMMIT;

-- :rollback
ROLLBACK;

-- :chain
SELECT n, head, mac, epoch, counter, seen FROM chain;

-- :chain_set
UPDATE chain SET n = ?1, head = ?2, mac = ?3, epoch = ?4, counter = ?5, seen = ?6;

-- :log_head
SELECT max(coalesce((SELECT max(seq) FROM entries WHERE log = ?1), 0),
           coalesce((SELECT max(before) - 1 FROM holes WHERE log = ?1), 0));

-- :entry_add
INSERT INTO entries (n, log, seq, at, kind, person, ref, body, salt, sum, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- :entry_at
SELECT body, salt, sum FROM entries WHERE log = ?1 AND seq = ?2;

-- :entry_by_ref
SELECT seq FROM entries WHERE log = ?1 AND person = ?2 AND ref = ?3;

-- :entry_number
SELECT count(*) FROM entries WHERE log = ?1 AND seq < ?2;

-- :entry_erase
UPDATE entries SET body = NULL, salt = NULL WHERE log = ?1 AND seq = ?2;

-- :quarantine_add
INSERT OR IGNORE INTO quarantine (log, seq, at, frame, sum, why, found_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- :quarantine
SELECT count(*), coalesce(max(found_at), 0) FROM quarantine;

-- :hole_add
INSERT OR IGNORE INTO holes (log, after, before) VALUES (?1, ?2, ?3);

-- The entries of a log between two seqs stand no more.
-- :void
INSERT OR IGNORE INTO voided (log, seq) SELECT log, seq FROM entries WHERE log = ?1 AND seq >= ?2 AND seq < ?3;

-- Of those, the one that this entry (seq, person, kind, body) says again: the one with its id (?5), else the first with the same bytes.
-- :voided_same
SELECT v.seq FROM voided v JOIN entries e ON e.log = v.log AND e.seq = v.seq
WHERE v.log = ?1 AND v.again IS NULL AND v.seq < ?2 AND e.person = ?3 AND e.kind = ?4
  AND CASE WHEN ?5 > 0 THEN v.seq = ?5 AND (e.body ->> '$.text') IS (?6 ->> '$.text')
           ELSE e.ref IS NULL AND substr(e.body, instr(e.body, ',"kind":')) = substr(?6, instr(?6, ',"kind":')) END
ORDER BY v.seq LIMIT 1;

-- :voided_again
UPDATE voided SET again = ?3 WHERE log = ?1 AND (seq = ?2 OR again = ?2);

-- Wherever the entry stands or stood; 1: it is shown no more.
-- :entry_everywhere
WITH last (seq) AS (SELECT coalesce((SELECT again FROM voided WHERE log = ?1 AND seq = ?2), ?2))
SELECT seq, 0 FROM last UNION ALL SELECT v.seq, 1 FROM voided v JOIN last ON v.again = last.seq WHERE v.log = ?1;

-- :entry_give_up_ref
UPDATE entries SET ref = NULL WHERE log = ?1 AND seq = ?2;

-- :chat_get
SELECT place, head, entries, site, department, shopper, shopper_name, owner, owner_name, handler, handler_name,
       state, started, ended, rating, messages, handovers, owner_changed, complete, tags,
       transfer_department
FROM chats WHERE chat = ?1;

-- :chat_entries
SELECT e.body FROM entries e
WHERE e.log = (SELECT chat FROM chats WHERE place = ?1) AND e.body IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq AND v.again IS NOT NULL)
ORDER BY e.seq;

-- :chat_add
INSERT INTO chats (place, chat, head, entries, state, started, messages, handovers, owner_changed, complete)
VALUES (?1, ?2, 0, 0, 'none', ?3, 0, 0, 0, 1);

-- :chat_set
UPDATE chats SET head = ?2, entries = ?3, site = ?4, department = ?5, shopper = ?6, shopper_name = ?7, owner = ?8,
    owner_name = ?9, handler = ?10, handler_name = ?11, state = ?12, ended = ?13, rating = ?14, messages = ?15,
    handovers = ?16, owner_changed = ?17, complete = ?18, tags = ?19, transfer_department = ?20
WHERE place = ?1;

-- :place_taken
SELECT 1 FROM chats WHERE place = ?1;

-- :person_add
INSERT INTO chat_people (person, place, part) VALUES (?1, ?2, ?3)
ON CONFLICT (person, place) DO UPDATE SET part = part | excluded.part;

-- :tag_add
INSERT OR IGNORE INTO chat_tags (tag, place) VALUES (?1, ?2);

-- :tag_drop
DELETE FROM chat_tags WHERE tag = ?1 AND place = ?2;

-- :words_add
INSERT INTO words (rowid, text) VALUES (?1, ?2);

-- :words_drop
INSERT INTO words (words, rowid, text) VALUES ('delete', ?1, ?2);

-- :words_optimize
INSERT INTO words (words) VALUES ('optimize');

-- Texts were erased whose bytes may still stand in the index and in the WAL.
-- :traces_add
INSERT OR IGNORE INTO meta (key, value) VALUES ('traces', 'of erased texts');

-- :traces_gone
DELETE FROM meta WHERE key = 'traces';

-- :review_add
INSERT INTO reviews (n, chat) VALUES (?1, ?2);

-- :chat_known
SELECT 1 FROM chats WHERE chat = ?1;
