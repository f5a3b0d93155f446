-- Entries that a later life of the live data lacks (PROMISES 2.9). Rows stay in the chain for good.
CREATE TABLE voided (
    log TEXT NOT NULL,
    seq INTEGER NOT NULL,
    again INTEGER,                      -- where the same one stands now, put back or repeated: it is shown there; NULL: nowhere, it is shown here
    PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- `moved` knew of commands alone, and left the id with the first of them: it is the last one's.
INSERT INTO voided (log, seq, again) SELECT log, of, max(seq) FROM moved GROUP BY log, of;
INSERT INTO voided (log, seq, again)
SELECT m.log, m.seq, v.again FROM moved m JOIN voided v ON v.log = m.log AND v.seq = m.of WHERE m.seq < v.again;
CREATE TABLE moving AS SELECT e.n, e.ref, v.log, v.again FROM voided v JOIN entries e ON e.log = v.log AND e.seq = v.seq WHERE e.ref IS NOT NULL;
UPDATE entries SET ref = NULL FROM moving m WHERE entries.n = m.n;
UPDATE entries SET ref = m.ref FROM moving m WHERE entries.log = m.log AND entries.seq = m.again;
DROP TABLE moving;
DROP TABLE moved;
