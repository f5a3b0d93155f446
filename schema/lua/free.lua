#!lua flags=allow-oom
-- Frees a log that is archived whole: unchanged since, in the same life of the data (PROMISES 2.7). A list only grows, so what has the
-- same length is the same.
--
-- KEYS[1] head   KEYS[2] log   KEYS[3] changed set   KEYS[4] chats that ended   KEYS[5] epoch
-- ARGV[1] log id   ARGV[2] length as archived   ARGV[3] fence   ARGV[4] epoch
-- Answers 1 if it is gone, 0 if it has moved on.
local call = redis.call

if (call('GET', KEYS[5]) or '') ~= ARGV[4] then return 0 end
if string.format('%d', call('LLEN', KEYS[2])) ~= ARGV[2] or string.match(call('HGET', KEYS[1], 's') or '0', '^%d+') ~= ARGV[3] then return 0 end
call('DEL', KEYS[1], KEYS[2])
call('ZREM', KEYS[3], ARGV[1])
call('ZREM', KEYS[4], ARGV[1])
return 1
