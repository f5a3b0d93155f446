#!lua flags=no-writes
-- The entries of a log behind a seq. Within one life of the data a seq is a place in the list; where a new one began, seqs jump.
--
-- KEYS[1] head (j: "place base place base …", where jumps are)   KEYS[2] log   ARGV[1] seq   ARGV[2] how many, -1: all
-- Answers {place of the first, entries …}.
local after, n = tonumber(ARGV[1]), tonumber(ARGV[2])
local from, begin, base = 0, 0, 0

local function leave(till)
  if after > base + begin then from = math.min(after - base, till) end
end
for place, next_base in string.gmatch(redis.call('HGET', KEYS[1], 'j') or '', '(%d+) (%d+)') do
  leave(tonumber(place))
  begin, base = tonumber(place), tonumber(next_base)
end
leave(math.huge)
from = math.min(from, redis.call('LLEN', KEYS[2]))
local out = redis.call('LRANGE', KEYS[2], from, n < 0 and -1 or from + n - 1)
table.insert(out, 1, string.format('%d', from))
return out
