#!lua flags=no-writes
-- How a log stands, at one instant.
--
-- KEYS[1] head   KEYS[2] log
-- Answers {how many entries, fence, the last one or ""}.
return {
  string.format('%d', redis.call('LLEN', KEYS[2])),
  redis.call('HGET', KEYS[1], 'f') or '0',
  redis.call('LRANGE', KEYS[2], -1, -1)[1] or '',
}
