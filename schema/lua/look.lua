#!lua flags=no-writes
-- What a node looks at when it comes and on each beat.
--
-- KEYS[1] clock (ms added to Redis's own time)   KEYS[2] epoch   KEYS[3] format
-- Answers {Redis's own time in ms, what is added, epoch or "", format or "0"}.
local time = redis.call('TIME')

return {
  string.format('%d', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)),
  redis.call('GET', KEYS[1]) or '0',
  redis.call('GET', KEYS[2]) or '',
  redis.call('GET', KEYS[3]) or '0',
}
