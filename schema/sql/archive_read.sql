-- Statements of the reading connections, each under its name.

-- :begin
BEGIN;

-- :log_head
SELECT coalesce(max(seq), 0) FROM entries WHERE log = :log;

-- :list
SELECT c.place, c.chat, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.started, c.ended,
       c.rating, c.messages, c.tags, c.owner_changed, c.handovers, c.complete
FROM chats c
WHERE c.place <= :bound AND c.place >= :floor
  AND (:from IS NULL OR c.started >= :from)
  AND (:to IS NULL OR c.started <= :to)
  AND (:department IS NULL OR c.department = :department)
  AND (:rating IS NULL OR c.rating = :rating)
  AND (:owner_changed IS NULL OR c.owner_changed = :owner_changed)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM chat_tags t WHERE t.tag = :tag AND t.place = c.place))
  AND (:rep IS NULL
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :rep AND p.place = c.place AND p.part & 3))
  AND (:all
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :reader AND p.place = c.place)
       OR c.department IN (SELECT value FROM json_each(:departments)))
ORDER BY c.place DESC;

-- The same, led by the chats of one person: for filters and readers that leave few.
-- :list_person
SELECT c.place, c.chat, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.started, c.ended,
       c.rating, c.messages, c.tags, c.owner_changed, c.handovers, c.complete
FROM chat_people d CROSS JOIN chats c ON c.place = d.place
WHERE d.person = :driver AND d.place <= :bound AND d.place >= :floor
  AND (:from IS NULL OR c.started >= :from)
  AND (:to IS NULL OR c.started <= :to)
  AND (:department IS NULL OR c.department = :department)
  AND (:rating IS NULL OR c.rating = :rating)
  AND (:owner_changed IS NULL OR c.owner_changed = :owner_changed)
  AND (:tag IS NULL OR EXISTS (SELECT 1 FROM chat_tags t WHERE t.tag = :tag AND t.place = c.place))
  AND (:rep IS NULL
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :rep AND p.place = c.place AND p.part & 3))
  AND (:all
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :reader AND p.place = c.place)
       OR c.department IN (SELECT value FROM json_each(:departments)))
ORDER BY d.place DESC;

-- :words
SELECT rowid FROM words WHERE words MATCH :term AND rowid <= :bound ORDER BY rowid DESC;

-- :entry_number
SELECT body FROM entries WHERE log = :log ORDER BY seq LIMIT 1 OFFSET :number;

-- :chat
SELECT c.place, c.chat, c.site, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.complete,
       c.started, c.ended, c.rating, c.tags, c.handler, c.handler_name
FROM chats c
WHERE c.chat = :chat
  AND (:all
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :reader AND p.place = c.place)
       OR c.department IN (SELECT value FROM json_each(:departments)));

-- :hash_at
SELECT hash FROM entries WHERE n = :n;

-- :log
SELECT seq, at, kind, body FROM entries WHERE log = :log AND seq >= :from ORDER BY seq;

-- :reviews
SELECT e.body FROM reviews r JOIN entries e ON e.n = r.n WHERE r.chat = :chat ORDER BY r.n DESC;

-- :reviews_all
SELECT e.body FROM reviews r JOIN entries e ON e.n = r.n ORDER BY r.n DESC LIMIT :limit;

-- :export
SELECT log, seq, at, body FROM entries WHERE :all OR (log >= 'c_' AND log < 'c`') ORDER BY log, seq;

-- :verify_chain
SELECT n, head, mac FROM chain;

-- :verify_rows
SELECT n, log, seq, at, kind, body, salt, sum, hash FROM entries ORDER BY n;

-- :verify_erased
SELECT 1 FROM entries WHERE log = :log AND kind = 'redacted' AND body ->> '$.of' = :seq;
