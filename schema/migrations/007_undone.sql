-- Verdicts as they stand: one that an editor took back is none. `taught` names it by its place, as the list of what was taught does.
CREATE INDEX entries_undone ON entries (body ->> '$.taught') WHERE kind = 'feedback_undone';
CREATE VIEW verdicts AS
SELECT v.body ->> '$.of_chat' AS chat, v.body ->> '$.article' AS article, v.body ->> '$.verdict' AS verdict
FROM entries v INDEXED BY entries_verdicts
WHERE v.kind = 'feedback_given'
  AND NOT EXISTS (SELECT 1 FROM entries u INDEXED BY entries_undone
                  WHERE u.kind = 'feedback_undone' AND u.body ->> '$.taught' = v.log || '-' || v.seq);
