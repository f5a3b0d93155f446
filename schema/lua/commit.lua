#!lua
-- Commits entries to logs: compares, then writes; knows no rule (DESIGN 1, PROMISES 2.4).
--
-- KEYS[1] epoch   KEYS[2] the site's commit counter   KEYS[3] changed set   KEYS[4] the bus (a channel's name)
-- KEYS[5] clock (ms added to Redis's own time)   KEYS[6…] as named below
-- ARGV[1] epoch   ARGV[2] node   ARGV[3] number of commits   ARGV[4], ARGV[5] between which times this may happen, "" any time;
-- ARGV[6] how many of those who listen to the bus the committer is itself: "1" a node, "0" the command line;
-- then for each commit, in this order:
--   shape "p", one entry and no more (fence as given, its id remembered in the log's head):  fence;  digest and extra words of the
--   answer;  the entry,
--   shape "-", anything:  log id;  where its id is remembered: "0" nowhere, "1" in the log's head, "2" in a key of its own;  id field;
--   digest and extra words of the answer;  mode: "F" fence as given, "H" fence and head as given, "N" a new log, "A" any, "P" put
--   back: the head is the fence given, and the log stood at the head given in an earlier life;  fence;  head;  numbers of entries, of
--   guards, of index writes, of keys;  the entries, the guards, the writes,
--   for each entry: flags (1: a shopper may see it, 2: it raises the fence), person, ref (the id), tail,
--   for each guard: type, key (its number), a, b,
--   for each index write: type, key (its number), a, b.
-- Its keys stand in the same order: head, log, then the one its id is remembered in, then those of guards and writes.
-- Answers a list, for each commit: "first-seq at shown-before counter" done · {1, "seq at prev digest extra"} this id was seen · {2, fence, head} moved on · {3, number of the guard that failed} · {4, epoch} other epoch · {5, why} error ·
-- {6, time} Redis's clock has left the node's.
--
-- A log's head is a hash: s is "fence shown at head base epoch" (the last entry that was shown to a shopper; when the last one was
-- written and its seq; what is added to a place in the list to get a seq; in which epoch it was written), and the ids that are remembered.
-- A log's first entry in another epoch than its last one gets the next multiple of 1,000,000, + 1 (PROMISES 2.9), and so does the first
-- one of a log that "A" begins; j then says where such jumps are (read.lua).
local call, format, match, sub = redis.call, string.format, string.match, string.sub
local time = call('TIME')
local site = call('MGET', KEYS[1], KEYS[5])
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(site[2] or '0')
local count = tonumber(ARGV[3])
local answers, hints, changed, tainted = {}, {}, {}, {}
local a, k = 7, 6 -- where the commit that is looked at begins in ARGV, in KEYS
local epoch = site[1] or ''
local mark = sub(epoch, 3, 8)
local LONG = 64
local LOG_AT = #KEYS[1] - 2 -- where a log's id begins in its key: both begin alike, "…:epoch" and "…:l:ID"
local log, place, id_field, digest, mode, fence_given, head_given -- of the commit that is looked at

local now_text = format('%d', now)

local function all(code, what)
  for i = 1, count do answers[i] = { code, what } end
  return answers
end
if epoch ~= ARGV[1] then return all(4, epoch) end
if ARGV[4] ~= '' and (now < tonumber(ARGV[4]) or now > tonumber(ARGV[5])) then return all(6, now_text) end

-- (Functions with branches, and no tables of functions: what stands here is made anew in each call.)
local function guard_holds(type, key, x, y)
  if type == 'heq' then return (call('HGET', key, x) or '') == y end -- a hash field has this value ("" stands for absent)
  if type == 'live' then return call('EXISTS', key) == 1 end
  if type == 'gone' then return call('EXISTS', key) == 0 end
  if type == 'due' then return call('ZSCORE', key, x) == y end -- a timer is due as read
  local sum = type == 'room' and tonumber(y) or 0
  for _, w in ipairs(call('HVALS', key)) do sum = sum + tonumber(w) end
  if type == 'idle' then return sum == 0 end -- nothing held has a weight
  -- room: holds + weight <= capacity; key is the holds' hash, x the rep's key number, y the weight
  return sum <= tonumber(call('HGET', KEYS[tonumber(x)], 'capacity') or '0')
end

local function write(type, key, x, y, at)
  if type == 'zadd' then call('ZADD', key, y, x)
  elseif type == 'zrel' then call('ZADD', key, format('%d', at + tonumber(y)), x) -- a score that counts from this commit's time
  elseif type == 'zrem' then call('ZREM', key, x)
  elseif type == 'hset' then call('HSET', key, x, y)
  elseif type == 'hdel' then call('HDEL', key, x)
  elseif type == 'sadd' then call('SADD', key, x)
  elseif type == 'zmark' then -- x has changed: it gets the next number (snapshot.lua)
    call('ZADD', key, format('%d', tonumber(call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2] or '0') + 1), x)
  else error('no such write: ' .. type) end
end

local function holds(first, n) -- the number of the guard that doesn't hold, nil: all do
  for i = 1, n do
    if not guard_holds(ARGV[first], KEYS[tonumber(ARGV[first + 1])], ARGV[first + 2], ARGV[first + 3]) then return i end
    first = first + 4
  end
end

local function wrong_type(first, n)
  for i = first, first + 4 * n - 4, 4 do
    local key, begin = KEYS[tonumber(ARGV[i + 1])], sub(ARGV[i], 1, 1)
    local want = begin == 'z' and 'zset' or begin == 'h' and 'hash' or 'set'
    local is = call('TYPE', key).ok
    if is ~= want and is ~= 'none' then return key .. ' is a ' .. is end
  end
end

-- What stands against this commit: its answer.
local function refusal(fence, head, log_key)
  if mode == 'N' then
    if call('EXISTS', log_key) == 1 then return { 2, fence, '' } end
  elseif mode == 'P' then
    if head ~= fence_given then return { 2, fence, head } end
  elseif mode ~= 'A' then
    if fence ~= fence_given then return { 2, fence, '' } end
    if mode == 'H' and head ~= head_given then return { 2, fence, head } end
  end
end

-- The head of a log that goes on in another life of the data, and what says so behind its first entry there. A log that "A" begins has a
-- name instead of a random id, so it may have stood in a life that is lost: it begins behind all seqs that it can have had, at its second.
local function jump(head_key, length, head, was_epoch)
  local begins = mode == 'A' and was_epoch == ''
  if not (begins or was_epoch ~= '' and length > 0 or mode == 'P') then return head, '' end
  local was = begins and math.floor(now / 1000) * 1000000 or mode == 'P' and math.max(head, tonumber(head_given)) or head
  local said = ' ' .. format('%d', head)
  head = (math.floor(was / 1000000) + 1) * 1000000
  local j = call('HGET', head_key, 'j')
  local here = format('%d %d', length, head - length)
  call('HSET', head_key, 'j', j and j .. ' ' .. here or here)
  return head, said
end

local function commit(n, entries_n, guards_n, writes_n, first_entry)
  local head_key, log_key = KEYS[k], KEYS[k + 1]
  local h = call('HMGET', head_key, 's', place == '1' and id_field or 's')
  if place ~= '0' then
    local seen = h[2]
    if place == '2' then seen = call('HGET', KEYS[k + 2], id_field) end
    if seen then return { 1, seen } end
  end
  local fence, shown, was, head_text, base, was_epoch = match(h[1] or '0 0 0 0 0 ', '^(%d+) (%d+) (%d+) (%d+) (%d+) (.*)')
  -- Behind a commit of the same log that failed in this call nothing may go through: it was decided on what didn't happen.
  if tainted[log] then return { 2, fence, '' } end
  local no = refusal(fence, head_text, log_key)
  if no then return no end
  local first_guard = first_entry + 4 * entries_n
  local first_write = first_guard + 4 * guards_n
  if guards_n > 0 then
    local i = holds(first_guard, guards_n)
    if i then return { 3, i } end
  end
  if writes_n > 0 then
    local why = wrong_type(first_write, writes_n)
    if why then return { 5, why } end
  end
  local at, at_text, before = now, now_text, shown
  if tonumber(was) > now then at, at_text = tonumber(was), was end
  local first, main, main_prev = '0', '0', shown
  if entries_n > 0 then
    local head, said = tonumber(head_text), ''
    local length = head - tonumber(base)
    if was_epoch ~= mark then head, said = jump(head_key, length, head, was_epoch) end
    local list, seq = {}, ''
    for i = 1, entries_n do
      local e = first_entry + 4 * i - 4
      local flags, ref = ARGV[e], ARGV[e + 2]
      local is_shown = flags == '1' or flags == '3'
      seq = format('%d', head + i)
      list[i] = (is_shown and '1 ' or '0 ') .. shown .. ' ' .. ARGV[e + 1] .. ' ' .. ref .. said .. '\n{"t":"event","chat":"' .. log ..
        '","seq":' .. seq .. ',"at":' .. at_text .. ',' .. ARGV[e + 3]
      said = ''
      if i == 1 then first = seq end
      if ref ~= '-' then main, main_prev = seq, shown end
      if is_shown then shown = seq end
      if flags >= '2' then fence = seq end
    end
    if call('RPUSH', log_key, unpack(list)) ~= length + entries_n then error('head and log of ' .. log .. ' part') end
    local stands = fence .. ' ' .. shown .. ' ' .. at_text .. ' ' .. seq .. ' ' .. format('%d', head - length) .. ' ' .. mark
    if place == '1' then
      call('HSET', head_key, 's', stands, id_field, (main ~= '0' and main or seq) .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. digest)
      -- A value longer than a small hash may hold (hash-max-listpack-value) makes the head of a long log a hash table: an id is then
      -- found at once, and not by a walk over all.
      if length < LONG and length + entries_n >= LONG then call('HSET', head_key, 'long', string.rep('-', 65)) end
    else
      call('HSET', head_key, 's', stands)
    end
  elseif place == '1' then -- it changes nothing, and neither does a repeat
    call('HSET', head_key, id_field, head_text .. ' ' .. at_text .. ' ' .. shown .. ' ' .. digest)
  end
  if place == '2' then
    call('HSET', KEYS[k + 2], id_field, main .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. digest)
    call('EXPIRE', KEYS[k + 2], 604800)
  end
  for i = first_write, first_write + 4 * writes_n - 4, 4 do
    write(ARGV[i], KEYS[tonumber(ARGV[i + 1])], ARGV[i + 2], ARGV[i + 3], at)
  end
  if entries_n > 0 then
    changed[#changed + 1] = n
    changed[#changed + 1] = log
    hints[#hints + 1] = log
  end
  return first .. ' ' .. at_text .. ' ' .. before .. ' ' .. n
end

local last = call('INCRBY', KEYS[2], count)
-- A member longer than a small sorted set may hold (zset-max-listpack-value) makes the changed set a skip list from the beginning:
-- a new score then costs log n and not a walk over all. Readers ask for scores above 0.
if last == count then call('ZADD', KEYS[3], '0', string.rep('-', 65)) end
local next_a, next_k
local function all_of_them()
  for i = #answers + 1, count do
    local entries_n, guards_n, writes_n, keys_n, first_entry = 1, 0, 0, 2, a + 3
    if ARGV[a] == 'p' then
      log, place, mode, fence_given, digest = sub(KEYS[k + 1], LOG_AT), '1', 'F', ARGV[a + 1], ARGV[a + 2]
      id_field = 'i:' .. ARGV[a + 4] .. ':' .. ARGV[a + 5]
    else
      log, place, id_field, digest, mode, fence_given, head_given = unpack(ARGV, a + 1, a + 7)
      entries_n, guards_n, writes_n, keys_n = tonumber(ARGV[a + 8]), tonumber(ARGV[a + 9]), tonumber(ARGV[a + 10]), tonumber(ARGV[a + 11])
      first_entry = a + 12
    end
    next_a, next_k = first_entry + 4 * (entries_n + guards_n + writes_n), k + keys_n
    local answer = commit(format('%d', last - count + i), entries_n, guards_n, writes_n, first_entry)
    if type(answer) == 'table' then tainted[log] = true end
    answers[i] = answer
    a, k = next_a, next_k
  end
end
while #answers < count do
  local ok, why = pcall(all_of_them)
  if not ok then -- one of them can't be done: the next ones are gone on with
    tainted[log] = true
    answers[#answers + 1] = { 5, tostring(type(why) == 'table' and why.err or why) }
    a, k = next_a, next_k
  end
end
if #hints > 0 then
  call('ZADD', KEYS[3], unpack(changed))
  -- Where nobody else listens nothing is said. (A hint that is missed costs no more than a beat.)
  if call('PUBSUB', 'NUMSUB', KEYS[4])[2] > tonumber(ARGV[6]) then call('PUBLISH', KEYS[4], 'L ' .. ARGV[2] .. ' ' .. table.concat(hints, ' ')) end
end
return answers
