-- What was suggested, and what became of it: found by time and by chat without reading all entries.
CREATE INDEX entries_suggested ON entries (at) WHERE kind = 'suggested';
CREATE INDEX entries_verdicts ON entries (body ->> '$.of_chat') WHERE kind = 'feedback_given';
