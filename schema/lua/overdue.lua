#!lua
-- The site's nodes are back: if all of them, or Redis, were away for longer than a while, timers that only run while somebody can be
-- there begin again with their full span (PROMISES 2.11). Said on each beat of each node; the first one back does it.
--
-- KEYS[1] alive (the site's time of the last beat)   KEYS[2] timers   KEYS[3] clock
-- ARGV[1] how long counts as a while, ms   ARGV[2], ARGV[3] between which times this may happen: where Redis's clock has just left the
-- node's nothing is judged; then pairs: how the timer's member ends, its full span in ms
-- Answers {time of the last beat, now}: both "0" where nothing was missed; "-1" where nothing was judged.
local call = redis.call
local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(call('GET', KEYS[3]) or '0')
local last = tonumber(call('GET', KEYS[1]) or '0')

if now < tonumber(ARGV[2]) or now > tonumber(ARGV[3]) then return { '-1', '0' } end
call('SET', KEYS[1], string.format('%d', now))
if last == 0 or now - last < tonumber(ARGV[1]) then return { '0', '0' } end
for i = 4, #ARGV, 2 do
  local ending, till = ARGV[i], now + tonumber(ARGV[i + 1])
  for _, member in ipairs(call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%d', till - 1))) do
    if string.sub(member, -#ending) == ending then call('ZADD', KEYS[2], string.format('%d', till), member) end
  end
end
return { string.format('%d', last), string.format('%d', now) }
