#!lua flags=no-writes
-- What matching looks at: the head of one queue and the reps of its department, at one instant.
--
-- KEYS[1] queue   KEYS[2] clock (ms added to Redis's own time); then for each rep: record (hash), holds (hash), presence (hash)
-- ARGV[1] how many chats of the queue
-- Answers {now, length, {chat, score …}, {shift, capacity, idle, load, holds, present} a rep}.
local call = redis.call
local time = call('TIME')
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
  tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(call('GET', KEYS[2]) or '0'),
  call('ZCARD', KEYS[1]),
  call('ZRANGE', KEYS[1], 0, tonumber(ARGV[1]) - 1, 'WITHSCORES'),
  out,
}
