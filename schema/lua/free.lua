#!lua flags=allow-oom
-- Frees a log that is archived whole: unchanged since (PROMISES 2.7).
--
-- KEYS[1] head   KEYS[2] log   KEYS[3] changed set   ARGV[1] log id   ARGV[2] length as archived   ARGV[3] fence
-- Answers 1 if it is gone, 0 if it has moved on.
local call = redis.call

if string.format('%d', call('LLEN', KEYS[2])) ~= ARGV[2] or (call('HGET', KEYS[1], 'f') or '') ~= ARGV[3] then return 0 end
call('DEL', KEYS[1], KEYS[2])
call('ZREM', KEYS[3], ARGV[1])
return 1
