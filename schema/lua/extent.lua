#!lua flags=no-writes
-- How a log stands, at one instant.
--
-- KEYS[1] head   KEYS[2] log
-- Answers {how many entries, fence, the last one or ""}.
return {
  string.format('%d', redis.call('LLEN', KEYS[2])),
  string.match(redis.call('HGET', KEYS[1], 's') or '0', '^%d+'),
  redis.call('LRANGE', KEYS[2], -1, -1)[1] or '',
}
