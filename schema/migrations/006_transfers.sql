-- Where a handover under way leads to: once it is accepted, the chat is that department's.
ALTER TABLE chats ADD COLUMN transfer_department TEXT;

-- Chats that were handed over before stand where their last handover to a department led them, if nothing led them elsewhere since.
CREATE TABLE handed AS
SELECT log, seq, (SELECT o.body ->> '$.to.department' FROM entries o
                  WHERE o.log = t.log AND o.seq < t.seq AND o.kind = 'transfer_offered' ORDER BY o.seq DESC LIMIT 1) AS department
FROM entries t WHERE kind = 'transferred';
UPDATE chats SET department = h.department
FROM (SELECT log, max(seq) AS seq, department FROM handed WHERE department IS NOT NULL GROUP BY log) h
WHERE chats.chat = h.log
  AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.log = h.log AND e.seq > h.seq AND e.kind IN ('triaged', 'queued'));
DROP TABLE handed;
UPDATE chats SET transfer_department = (SELECT o.body ->> '$.to.department' FROM entries o
                                        WHERE o.log = chats.chat AND o.kind = 'transfer_offered' ORDER BY o.seq DESC LIMIT 1)
WHERE state IN ('assigned', 'active');

-- Nobody handles a chat that waits; those that went back to the queue kept the last one.
UPDATE chats SET handler = NULL, handler_name = NULL WHERE state IN ('waiting', 'offered', 'abandoned');
