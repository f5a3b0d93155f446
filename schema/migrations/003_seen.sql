-- The site's commit counter when the last of what is here was read: the live data never stands before it, but in another life.
ALTER TABLE chain ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
