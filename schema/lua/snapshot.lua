#!lua flags=no-writes
-- What matching looks at, at one instant: the head of one queue, what has changed of reps, and the reps that are asked about.
--
-- KEYS[1] queue   KEYS[2] whom something changed of (sorted set: rep → the number of the last change; commit.lua, presence.lua);
-- then for each rep asked about: record (hash), holds (hash), presence (hash)
-- ARGV[1] how many chats of the queue   ARGV[2] the number of the last change that is known, "" none: then no changes are listed
-- Answers {length, {chat …}, {shift, capacity, idle, load, holds, present} a rep, number of the last change, {rep that changed …}}.
local call = redis.call
local out = {}

for i = 3, #KEYS, 3 do
  local r = call('HMGET', KEYS[i], 'shift', 'capacity', 'idle')
  local load, n = 0, 0
  for _, w in ipairs(call('HVALS', KEYS[i + 1])) do
    load = load + tonumber(w)
    n = n + 1
  end
  out[#out + 1] = { r[1] or 'off', r[2] or '0', r[3] or '0', load, n, call('EXISTS', KEYS[i + 2]) }
end
return {
  call('ZCARD', KEYS[1]),
  call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1),
  out,
  call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or '0',
  ARGV[2] == '' and {} or call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf'),
}
