#!lua
-- Corrects the site's clock, unless somebody else has done so meanwhile (PROMISES 2.11).
--
-- KEYS[1] clock   ARGV[1] what was added as read   ARGV[2] what is to be added   Answers what is added now.
local now = redis.call('GET', KEYS[1]) or '0'

if now ~= ARGV[1] then return now end
redis.call('SET', KEYS[1], ARGV[2])
return ARGV[2]
