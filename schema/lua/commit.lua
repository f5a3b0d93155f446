#!lua
-- Commits entries to logs: compares, then writes; knows no rule (DESIGN 1, PROMISES 2.4).
--
-- KEYS[1] epoch   KEYS[2] the site's commit counter   KEYS[3] changed set   KEYS[4] the bus (a channel's name)
-- KEYS[5] clock (ms added to Redis's own time)   KEYS[6…] as named below
-- ARGV[1] epoch   ARGV[2] node   ARGV[3] number of commits   ARGV[4], ARGV[5] between which times this may happen, "" any time;
-- then for each commit, in this order:
--   shape: "p" one entry and no more, "-" anything;  log id;  where its id is remembered: "0" nowhere, "1" in the log's head, "2" in a
--   key of its own;  id field;  digest and extra words of the answer,
--   mode: "F" fence as given, "H" fence and head as given, "N" a new log, "A" any, "P" put back: the head is the fence given, and
--   the log stood at the head given in an earlier life;  fence; head,
--   of shape "-": numbers of entries, of guards, of index writes, of keys,
--   for each entry: flags (1: a shopper may see it, 2: it raises the fence), person, ref, tail,
--   for each guard: type, key (its number), a, b,
--   for each index write: type, key (its number), a, b.
-- Its keys stand in the same order: head, log, then the one its id is remembered in, then those of guards and writes.
-- Answers a list, for each commit: "first-seq at shown-before counter" done · {1, "seq at prev digest extra"} this id was seen · {2, fence, head} moved on · {3, number of the guard that failed} · {4, epoch} other epoch · {5, why} error ·
-- {6, time} Redis's clock has left the node's.
--
-- A log's head is a hash: s is "fence shown at base epoch" (the last entry that was shown to a shopper and when the last one was
-- written; what is added to a place in the list to get a seq; in which epoch it was written), and the ids that are remembered in it.
-- A log's first entry in another epoch than its last one gets the next multiple of 1,000,000, + 1 (PROMISES 2.9); j then says where
-- such jumps are (read.lua).
local call, format, match = redis.call, string.format, string.match
local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(call('GET', KEYS[5]) or '0')
local count = tonumber(ARGV[3])
local answers, hints, changed, tainted = {}, {}, {}, {}
local a, k = 6, 6 -- where the commit that is looked at begins in ARGV, in KEYS
local epoch = call('GET', KEYS[1]) or ''
local mark = string.sub(epoch, 3, 8)
local LONG = 64

local now_text = format('%d', now)

local function all(code, what)
  for i = 1, count do answers[i] = { code, what } end
  return answers
end
if epoch ~= ARGV[1] then return all(4, epoch) end
if ARGV[4] ~= '' and (now < tonumber(ARGV[4]) or now > tonumber(ARGV[5])) then return all(6, now_text) end

local guards = {
  -- a hash field has this value ("" stands for absent)
  heq = function(key, field, value) return (call('HGET', key, field) or '') == value end,
  -- the key exists, or doesn't
  live = function(key) return call('EXISTS', key) == 1 end,
  gone = function(key) return call('EXISTS', key) == 0 end,
  -- holds + weight <= capacity: key is the holds' hash, first the rep's key number, second the weight
  room = function(key, rep, weight)
    local sum = tonumber(weight)
    for _, w in ipairs(call('HVALS', key)) do sum = sum + tonumber(w) end
    return sum <= tonumber(call('HGET', KEYS[tonumber(rep)], 'capacity') or '0')
  end,
  -- nothing held has a weight
  idle = function(key)
    for _, w in ipairs(call('HVALS', key)) do
      if w ~= '0' then return false end
    end
    return true
  end,
  -- a timer is due as read
  due = function(key, member, score) return call('ZSCORE', key, member) == score end,
}

local types = { zadd = 'zset', zrel = 'zset', zrem = 'zset', hset = 'hash', hdel = 'hash', sadd = 'set', expire = nil }
local writes = {
  zadd = function(key, member, score) call('ZADD', key, score, member) end,
  zrem = function(key, member) call('ZREM', key, member) end,
  hset = function(key, field, value) call('HSET', key, field, value) end,
  hdel = function(key, field) call('HDEL', key, field) end,
  sadd = function(key, member) call('SADD', key, member) end,
  expire = function(key, seconds) call('EXPIRE', key, seconds) end,
}

local function holds(first, n) -- the number of the guard that doesn't hold, nil: all do
  for i = 1, n do
    if not guards[ARGV[first]](KEYS[tonumber(ARGV[first + 1])], ARGV[first + 2], ARGV[first + 3]) then return i end
    first = first + 4
  end
end

local function wrong_type(first, n)
  for i = first, first + 4 * n - 4, 4 do
    local want, key = types[ARGV[i]], KEYS[tonumber(ARGV[i + 1])]
    if want then
      local is = call('TYPE', key).ok
      if is ~= want and is ~= 'none' then return key .. ' is a ' .. is end
    end
  end
end

-- What stands against this commit: its answer.
local function refusal(mode, fence, base, log_key)
  if mode == 'N' then
    if call('EXISTS', log_key) == 1 then return { 2, fence, '' } end
  elseif mode == 'P' then
    local head = format('%d', base + call('LLEN', log_key))
    if head ~= ARGV[a + 6] then return { 2, fence, head } end
  elseif mode ~= 'A' then
    if fence ~= ARGV[a + 6] then return { 2, fence, '' } end
    if mode == 'H' then
      local head = format('%d', base + call('LLEN', log_key))
      if head ~= ARGV[a + 7] then return { 2, fence, head } end
    end
  end
end

-- The head of a log that goes on in another life of the data, and what says so behind its first entry there.
local function jump(head_key, mode, length, head, was_epoch)
  if not (was_epoch ~= '' and length > 0 or mode == 'P') then return head, '' end
  local was = mode == 'P' and math.max(head, tonumber(ARGV[a + 7])) or head
  local said = ' ' .. format('%d', head)
  head = (math.floor(was / 1000000) + 1) * 1000000
  local j = call('HGET', head_key, 'j')
  local here = format('%d %d', length, head - length)
  call('HSET', head_key, 'j', j and j .. ' ' .. here or here)
  return head, said
end

local function commit(n, entries_n, guards_n, writes_n, first_entry)
  local head_key, log_key, log, place, id_field, mode = KEYS[k], KEYS[k + 1], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 5]
  local h = call('HMGET', head_key, 's', place == '1' and id_field or 's')
  if place ~= '0' then
    local seen = h[2]
    if place == '2' then seen = call('HGET', KEYS[k + 2], id_field) end
    if seen then return { 1, seen } end
  end
  local fence, shown, was, base, was_epoch = match(h[1] or '0 0 0 0 ', '^(%d+) (%d+) (%d+) (%d+) (.*)')
  -- Behind a commit of the same log that failed in this call nothing may go through: it was decided on what didn't happen.
  if tainted[log] then return { 2, fence, '' } end
  base = tonumber(base)
  local no = refusal(mode, fence, base, log_key)
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
    local length, said = call('LLEN', log_key), ''
    local head = base + length
    if was_epoch ~= mark then head, said = jump(head_key, mode, length, head, was_epoch) end
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
    call('RPUSH', log_key, unpack(list))
    local stands = fence .. ' ' .. shown .. ' ' .. at_text .. ' ' .. format('%d', head - length) .. ' ' .. mark
    if place == '1' then
      call('HSET', head_key, 's', stands, id_field, (main ~= '0' and main or seq) .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. ARGV[a + 4])
      -- A value longer than a small hash may hold (hash-max-listpack-value) makes the head of a long log a hash table: an id is then
      -- found at once, and not by a walk over all.
      if length < LONG and length + entries_n >= LONG then call('HSET', head_key, 'long', string.rep('-', 65)) end
    else
      call('HSET', head_key, 's', stands)
    end
  end
  if place == '2' then
    call('HSET', KEYS[k + 2], id_field, main .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. ARGV[a + 4])
    call('EXPIRE', KEYS[k + 2], 604800)
  end
  for i = first_write, first_write + 4 * writes_n - 4, 4 do
    local key = KEYS[tonumber(ARGV[i + 1])]
    if ARGV[i] == 'zrel' then -- a score that counts from this commit's time
      call('ZADD', key, format('%d', at + tonumber(ARGV[i + 3])), ARGV[i + 2])
    else
      writes[ARGV[i]](key, ARGV[i + 2], ARGV[i + 3])
    end
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
    local entries_n, guards_n, writes_n, keys_n, first_entry = 1, 0, 0, 2, a + 8
    if ARGV[a] ~= 'p' then
      entries_n, guards_n, writes_n, keys_n = tonumber(ARGV[a + 8]), tonumber(ARGV[a + 9]), tonumber(ARGV[a + 10]), tonumber(ARGV[a + 11])
      first_entry = a + 12
    end
    next_a, next_k = first_entry + 4 * (entries_n + guards_n + writes_n), k + keys_n
    local answer = commit(format('%d', last - count + i), entries_n, guards_n, writes_n, first_entry)
    if type(answer) == 'table' then tainted[ARGV[a + 1]] = true end
    answers[i] = answer
    a, k = next_a, next_k
  end
end
while #answers < count do
  local ok, why = pcall(all_of_them)
  if not ok then -- one of them can't be done: the next ones are gone on with
    tainted[ARGV[a + 1]] = true
    answers[#answers + 1] = { 5, tostring(type(why) == 'table' and why.err or why) }
    a, k = next_a, next_k
  end
end
if #hints > 0 then
  call('ZADD', KEYS[3], unpack(changed))
  call('PUBLISH', KEYS[4], 'L ' .. ARGV[2] .. ' ' .. table.concat(hints, ' '))
end
return answers
