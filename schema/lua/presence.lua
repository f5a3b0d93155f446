#!lua
-- A person's presence on one node comes or goes.
--
-- KEYS[1] the person's presence (hash: node → 1)   KEYS[2] timers   KEYS[3] the bus (a channel's name)
-- KEYS[4] all whom this node has (set), for the day that it is gone without a word   KEYS[5] clock (ms added to Redis's own time)
-- KEYS[6] of a rep: whom something changed of (snapshot.lua)
-- ARGV[1] "join" or "leave"   ARGV[2] node   ARGV[3] person   ARGV[4], ARGV[5] between which times this may be, "" any
-- ARGV[6] the node's time, which holds where Redis's clock has left it; then pairs: timer's member, ms
-- join: takes the timers away. leave, where no node is left: sets them, from now. Answers how many nodes the person is on.
local call = redis.call
local TIMERS = 7 -- where they begin in ARGV

if ARGV[1] == 'join' then
  call('HSET', KEYS[1], ARGV[2], '1')
  call('SADD', KEYS[4], ARGV[3])
  for i = TIMERS, #ARGV, 2 do call('ZREM', KEYS[2], ARGV[i]) end
else
  call('HDEL', KEYS[1], ARGV[2])
  call('SREM', KEYS[4], ARGV[3])
end
local n = call('HLEN', KEYS[1])
if n == 0 then
  local time = call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(call('GET', KEYS[5]) or '0')
  if ARGV[4] ~= '' and (now < tonumber(ARGV[4]) or now > tonumber(ARGV[5])) then now = tonumber(ARGV[6]) end
  for i = TIMERS, #ARGV, 2 do call('ZADD', KEYS[2], string.format('%d', now + tonumber(ARGV[i + 1])), ARGV[i]) end
end
if KEYS[6] then
  call('ZADD', KEYS[6], string.format('%d', tonumber(call('ZREVRANGE', KEYS[6], 0, 0, 'WITHSCORES')[2] or '0') + 1), ARGV[3])
end
call('PUBLISH', KEYS[3], 'P ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. string.format('%d', n))
return n
