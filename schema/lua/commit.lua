#!lua
-- Commits entries to logs: compares, then writes; knows no rule (DESIGN 1, PROMISES 2.4).
--
-- KEYS[1] epoch   KEYS[2] the site's commit counter   KEYS[3] changed set   KEYS[4] the bus (a channel's name)
-- KEYS[5] clock (ms added to Redis's own time)   KEYS[6…] as named below
-- ARGV[1] epoch   ARGV[2] node   ARGV[3] number of commits   ARGV[4], ARGV[5] between which times this may happen, "" any time;
-- then for each commit, in this order:
--   head key, log key (numbers of KEYS), log id,
--   id key (number of KEYS, "0": no id), id field, digest, extra words of the answer,
--   mode: "F" fence as given, "H" fence and head as given, "N" a new log, "A" any, "P" put back: the head is the fence given, and
--   the log stood at the head given in an earlier life;  fence; head,
--   number of entries, then for each: flags (1: a shopper may see it, 2: it raises the fence), person, ref, tail,
--   number of guards, then for each: type, key, a, b,
--   number of index writes, then for each: type, key, a, b.
-- Answers a list with one list a commit: {0, first seq, at, shown before, counter} done · {1, "seq at prev digest extra"} this id
-- was seen · {2, fence, head} moved on · {3, number of the guard that failed} · {4, epoch} other epoch · {5, why} error ·
-- {6, time} Redis's clock has left the node's.
--
-- A log's first entry in another epoch than its last one gets the next multiple of 1,000,000, + 1 (PROMISES 2.9). Its head then keeps
-- b, what is added to a place in the list to get a seq, and j, where such jumps are (read.lua); e says in which epoch it was written.
local call = redis.call
local time = call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(call('GET', KEYS[5]) or '0')
local count = tonumber(ARGV[3])
local answers, hints, tainted = {}, {}, {}
local epoch = call('GET', KEYS[1]) or ''
local mark = string.sub(epoch, 3, 8)

local function all(code, what)
  for i = 1, count do answers[i] = { code, what } end
  return answers
end
if epoch ~= ARGV[1] then return all(4, epoch) end
if ARGV[4] ~= '' and (now < tonumber(ARGV[4]) or now > tonumber(ARGV[5])) then return all(6, string.format('%d', now)) end

local a = 6
local function take()
  local v = ARGV[a]
  a = a + 1
  return v
end

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

local function read()
  local c = { head_key = KEYS[tonumber(take())], log_key = KEYS[tonumber(take())], log = take() }
  local id_key = tonumber(take())
  c.id_key = id_key > 0 and KEYS[id_key] or nil
  c.id_field, c.digest, c.extra = take(), take(), take()
  c.mode, c.fence, c.head = take(), take(), take()
  c.entries, c.guards, c.writes = {}, {}, {}
  for i = 1, tonumber(take()) do c.entries[i] = { tonumber(take()), take(), take(), take() } end
  for i = 1, tonumber(take()) do c.guards[i] = { take(), KEYS[tonumber(take())], take(), take() } end
  for i = 1, tonumber(take()) do c.writes[i] = { take(), KEYS[tonumber(take())], take(), take() } end
  return c
end

local function commit(c, n)
  local same = c.id_key == c.head_key
  local h = call('HMGET', c.head_key, 'f', 'p', 'a', 'b', 'e', same and c.id_field or 'f')
  if c.id_key then
    local seen = h[6]
    if not same then seen = call('HGET', c.id_key, c.id_field) end
    if seen then return { 1, seen } end
  end
  -- Behind a commit of the same log that failed in this call nothing may go through: it was decided on what didn't happen.
  if tainted[c.log] then return { 2, h[1] or '0', '' } end
  local fence, shown, at = h[1] or '0', h[2] or '0', h[3]
  local base = tonumber(h[4] or '0')
  if c.mode == 'N' then
    if call('EXISTS', c.log_key) == 1 then return { 2, fence, '' } end
  elseif c.mode == 'P' then
    local head = string.format('%d', base + call('LLEN', c.log_key))
    if head ~= c.fence then return { 2, fence, head } end
  elseif c.mode ~= 'A' then
    if fence ~= c.fence then return { 2, fence, '' } end
    if c.mode == 'H' then
      local head = string.format('%d', base + call('LLEN', c.log_key))
      if head ~= c.head then return { 2, fence, head } end
    end
  end
  for i, g in ipairs(c.guards) do
    if not guards[g[1]](g[2], g[3], g[4]) then return { 3, i } end
  end
  for _, w in ipairs(c.writes) do
    local want = types[w[1]]
    if want then
      local is = call('TYPE', w[2]).ok
      if is ~= want and is ~= 'none' then return { 5, w[2] .. ' is a ' .. is } end
    end
  end
  at = math.max(now, tonumber(at or '0'))
  local at_text = string.format('%d', at)
  local before, first, prev, main_prev = shown, 0, shown, shown
  if #c.entries > 0 then
    local length = call('LLEN', c.log_key)
    local head, jump = base + length, ''
    if h[5] ~= mark then
      local was = c.mode == 'P' and math.max(head, tonumber(c.head)) or head
      if h[5] and length > 0 or c.mode == 'P' then
        jump = ' ' .. string.format('%d', head)
        head = (math.floor(was / 1000000) + 1) * 1000000
        local j = call('HGET', c.head_key, 'j')
        local here = string.format('%d %d', length, head - length)
        call('HSET', c.head_key, 'b', string.format('%d', head - length), 'j', j and j .. ' ' .. here or here)
      end
      call('HSET', c.head_key, 'e', mark)
    end
    first = head + 1
    local list, seq = {}, ''
    for i, e in ipairs(c.entries) do
      seq = string.format('%d', head + i)
      list[i] = (e[1] % 2 == 1 and '1 ' or '0 ') .. prev .. ' ' .. e[2] .. ' ' .. e[3] .. jump .. '\n{"t":"event","chat":"' .. c.log ..
        '","seq":' .. seq .. ',"at":' .. at_text .. ',' .. e[4]
      jump = ''
      if e[3] ~= '-' then
        main_prev = prev
        c.main = seq
      end
      if e[1] % 2 == 1 then prev = seq end
      if e[1] >= 2 then fence = seq end
    end
    call('RPUSH', c.log_key, unpack(list))
    if same and c.id_field ~= '' then
      call('HSET', c.head_key, 'f', fence, 'p', prev, 'a', at_text, c.id_field,
        (c.main or seq) .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. c.digest .. ' ' .. c.extra)
    else
      call('HSET', c.head_key, 'f', fence, 'p', prev, 'a', at_text)
    end
  end
  if c.id_key and not same then
    call('HSET', c.id_key, c.id_field, (c.main or '0') .. ' ' .. at_text .. ' ' .. main_prev .. ' ' .. c.digest .. ' ' .. c.extra)
    call('EXPIRE', c.id_key, 604800)
  end
  for _, w in ipairs(c.writes) do
    if w[1] == 'zrel' then -- a score that counts from this commit's time
      call('ZADD', w[2], string.format('%d', at + tonumber(w[4])), w[3])
    else
      writes[w[1]](w[2], w[3], w[4])
    end
  end
  if #c.entries > 0 then
    call('ZADD', KEYS[3], n, c.log)
    hints[#hints + 1] = c.log
  end
  return { 0, string.format('%d', first), at_text, before, n }
end

local last = call('INCRBY', KEYS[2], count)
for i = 1, count do
  local c = read()
  local ok, answer = pcall(commit, c, string.format('%d', last - count + i))
  if not ok then answer = { 5, tostring(type(answer) == 'table' and answer.err or answer) } end
  if answer[1] ~= 0 then tainted[c.log] = true end
  answers[i] = answer
end
if #hints > 0 then call('PUBLISH', KEYS[4], 'L ' .. ARGV[2] .. ' ' .. table.concat(hints, ' ')) end
return answers
