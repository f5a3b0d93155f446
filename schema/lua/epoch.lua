#!lua
-- Which life of the data this is; makes a new one where the data can't be what was acknowledged (PROMISES 2.9).
--
-- KEYS[1] epoch   KEYS[2] the site's commit counter   KEYS[3] the server that this life is lived on
-- ARGV[1] epoch as the node knows it ("" none)   ARGV[2] the highest counter it has seen in that epoch
-- ARGV[3] run id of this server, under Sentinel; else ""   ARGV[4] name of a new epoch
-- Answers {epoch, counter, why a new one was made: "" (none was), "first", "failover", "lost"}.
local call = redis.call
local epoch, run = call('GET', KEYS[1]), call('GET', KEYS[3])
local n = call('GET', KEYS[2]) or '0'
local why = ''

if not epoch then
  why = 'first'
elseif ARGV[3] ~= '' and run and run ~= ARGV[3] then
  why = 'failover'
elseif epoch == ARGV[1] and tonumber(n) < tonumber(ARGV[2]) then
  why = 'lost'
end
if why ~= '' then
  epoch = ARGV[4]
  call('SET', KEYS[1], epoch)
end
if ARGV[3] ~= '' and run ~= ARGV[3] then call('SET', KEYS[3], ARGV[3]) end
return { epoch, n, why }
