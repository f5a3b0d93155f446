-- Statements of the reading connections, each under its name. An entry that a later life of the live data lacks is shown where it stands
-- again (voided.again), or where it stood if nobody put it back.

-- :begin
BEGIN;

-- :log_head
SELECT coalesce(max(seq), 0) FROM entries WHERE log = :log;

-- What stands of a log up to a seq.
-- :log_extent
SELECT count(*), coalesce(max(seq), 0) FROM entries e
WHERE log = :log AND seq <= :seq AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq);

-- :by_ref
SELECT seq, at FROM entries WHERE log = :log AND person = :person AND ref = :ref;

-- :kinds_before
SELECT seq, kind FROM entries e
WHERE log = :log AND seq < :seq AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq)
ORDER BY seq DESC;

-- :list
SELECT c.place, c.chat, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.started, c.ended,
       c.rating, c.messages, c.tags, c.owner_changed, c.handovers, c.complete, c.handler, c.handler_name
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
       c.rating, c.messages, c.tags, c.owner_changed, c.handovers, c.complete, c.handler, c.handler_name
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

-- The chats of one shopper: also for who handles one of them now (MISSION "People").
-- :list_shopper
SELECT c.place, c.chat, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.started, c.ended,
       c.rating, c.messages, c.tags, c.owner_changed, c.handovers, c.complete, c.handler, c.handler_name
FROM chats c
WHERE c.shopper = :shopper AND c.place <= :bound AND c.place >= :floor
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
       OR c.department IN (SELECT value FROM json_each(:departments))
       OR EXISTS (SELECT 1 FROM chats n WHERE n.shopper = c.shopper AND n.handler = :reader AND n.state NOT IN ('closed', 'abandoned')))
ORDER BY c.place DESC;

-- :words
SELECT rowid FROM words WHERE words MATCH :term AND rowid <= :bound ORDER BY rowid DESC;

-- :entry_number
SELECT body FROM entries WHERE log = :log ORDER BY seq LIMIT 1 OFFSET :number;

-- :chat
SELECT c.place, c.chat, c.site, c.department, c.shopper, c.shopper_name, c.owner, c.owner_name, c.state, c.complete,
       c.started, c.ended, c.rating, c.tags, c.handler, c.handler_name
FROM chats c
WHERE c.chat = :chat
  AND (:shopper IS NULL OR c.shopper = :shopper)
  AND (:all
       OR EXISTS (SELECT 1 FROM chat_people p WHERE p.person = :reader AND p.place = c.place AND (p.part & 3 OR NOT :own_only))
       OR c.department IN (SELECT value FROM json_each(:departments))
       OR NOT :own_only AND EXISTS (SELECT 1 FROM chats n WHERE n.shopper = c.shopper AND n.handler = :reader AND n.state NOT IN ('closed', 'abandoned')));

-- :hash_at
SELECT hash FROM entries WHERE n = :n;

-- :log
SELECT seq, at, kind, body FROM entries e
WHERE log = :log AND seq >= :from
  AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq AND v.again IS NOT NULL)
ORDER BY seq;

-- :reviews
SELECT e.body, r.n FROM reviews r JOIN entries e ON e.n = r.n WHERE r.chat = :chat AND r.n < :before ORDER BY r.n DESC;

-- :reviews_all
SELECT e.body, r.n FROM reviews r JOIN entries e ON e.n = r.n WHERE r.n < :before ORDER BY r.n DESC;

-- Each task's last entry, where it says something else than the list of open ones.
-- :tasks
SELECT e.log, e.person, e.ref, e.body FROM entries e
WHERE e.log >= 't_' AND e.log < 't`' AND e.body IS NOT NULL
  AND e.seq = (SELECT max(x.seq) FROM entries x WHERE x.log = e.log)
  AND (e.kind = 'task_opened') <> (e.log IN (SELECT value FROM json_each(:listed)));

-- Questions that nothing was suggested for, or nothing that the rep didn't reject; with the first reply that counts.
-- :gaps
SELECT e.log, e.at, q.body ->> '$.text', c.rating, c.department,
       EXISTS (SELECT 1 FROM entries r WHERE r.log = e.log AND r.kind = 'refused'),
       (SELECT a.body ->> '$.text' FROM entries a
        WHERE a.log = e.log AND a.seq > (e.body ->> '$.of') AND a.kind = 'message' AND a.body ->> '$.from.role' <> 'shopper'
          AND (a.body ->> '$.counts') IS NOT 0
        ORDER BY a.seq LIMIT 1),
       e.body ->> '$.articles'
FROM entries e INDEXED BY entries_suggested
JOIN entries q ON q.log = e.log AND q.seq = (e.body ->> '$.of')
LEFT JOIN chats c ON c.chat = e.log
WHERE e.kind = 'suggested' AND e.at >= :from AND e.body IS NOT NULL AND q.body IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq AND v.again IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM json_each(e.body, '$.articles') s
                  WHERE NOT EXISTS (SELECT 1 FROM verdicts v
                                    WHERE v.chat = e.log AND v.article = s.value ->> '$.id' AND v.verdict = 'rejected'))
ORDER BY e.at DESC LIMIT :limit;

-- Articles by how often they were shown, with what came of it.
-- :stale
SELECT article, count(*), sum(rejected), sum(low), sum(used) FROM (
  SELECT s.value ->> '$.id' AS article, coalesce(c.rating <= 2, 0) AS low,
         EXISTS (SELECT 1 FROM verdicts v
                 WHERE v.chat = e.log AND v.article = s.value ->> '$.id' AND v.verdict = 'rejected') AS rejected,
         EXISTS (SELECT 1 FROM verdicts v
                 WHERE v.chat = e.log AND v.article = s.value ->> '$.id' AND v.verdict <> 'rejected') AS used
  FROM entries e INDEXED BY entries_suggested, json_each(e.body, '$.articles') s
  LEFT JOIN chats c ON c.chat = e.log
  WHERE e.kind = 'suggested' AND e.at >= :from AND e.body IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq AND v.again IS NOT NULL))
GROUP BY article
HAVING count(*) >= :shown AND (sum(rejected) * 2 >= count(*) OR sum(low) * 3 >= count(*))
ORDER BY sum(rejected) + sum(low) DESC, article LIMIT :limit;

-- :export
SELECT log, seq, at, body FROM entries e
WHERE (:all OR (log >= 'c_' AND log < 'c`'))
  AND NOT EXISTS (SELECT 1 FROM voided v WHERE v.log = e.log AND v.seq = e.seq AND v.again IS NOT NULL)
ORDER BY log, seq;

-- :meta
SELECT value FROM meta WHERE key = :key;

-- Logs of people, those written to last first; and the seq up to which each is settled here, entries or holes.
-- :people
SELECT log, max(max(seq), coalesce((SELECT max(h.before) - 1 FROM holes h WHERE h.log = e.log), 0))
FROM entries e WHERE log >= 'r_' AND log < 'r`'
GROUP BY log ORDER BY max(n) DESC;

-- :verify_chain
SELECT n, head, mac FROM chain;

-- :verify_rows
SELECT n, log, seq, at, kind, body, salt, sum, hash FROM entries ORDER BY n;

-- :verify_erased
WITH last (seq) AS (SELECT coalesce((SELECT again FROM voided WHERE log = :log AND seq = :seq), :seq))
SELECT 1 FROM entries r JOIN last
WHERE r.log = :log AND r.kind = 'redacted'
  AND (r.body ->> '$.of' = last.seq OR r.body ->> '$.of' IN (SELECT seq FROM voided WHERE log = :log AND again = last.seq));

-- Chats and reviews that their lists don't know.
-- :verify_hidden
SELECT e.n, e.log, e.seq, e.body FROM entries e
WHERE (e.log = '@reviews' AND NOT EXISTS (SELECT 1 FROM reviews r WHERE r.n = e.n AND r.chat = e.body ->> '$.chat'))
   OR (e.kind = 'started' AND e.log >= 'c_' AND e.log < 'c`' AND NOT EXISTS (SELECT 1 FROM chats c WHERE c.chat = e.log));

-- What is left out as said again elsewhere, though what stands there is no later life's (of 1,000,000 seqs each), or says something
-- else: a command bears its id there, and may have been decided anew; anything else stands there with the same bytes.
-- :verify_voided
SELECT e.n, e.log, e.seq FROM voided v
JOIN entries e ON e.log = v.log AND e.seq = v.seq
LEFT JOIN entries a ON a.log = v.log AND a.seq = v.again
WHERE v.again IS NOT NULL
  AND (a.n IS NULL OR a.kind <> e.kind OR a.person <> e.person OR v.again / 1000000 <= v.seq / 1000000
       OR CASE WHEN e.body IS NULL OR a.body IS NULL THEN 0
               WHEN a.ref IS NULL THEN substr(a.body, instr(a.body, ',"kind":')) <> substr(e.body, instr(e.body, ',"kind":'))
               ELSE (a.body ->> '$.text') IS NOT (e.body ->> '$.text') END);
