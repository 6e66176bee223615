-- publish: make Redis agree with what one client saw at one or more of its paths, atomically.
-- KEYS  1 due:<client>  2 del  3 object  4 meta  5… the dir hash of each item
-- ARGV  1 client  2 delay ms  3 deadline ms  4 highest generation this client has seen  5 boot
--       then eight per item: kind, path, name, t, id, tail, base, now
--         kind  c  it exists and we changed it        l  it exists, somebody looked
--               h  it exists, and may be torn: as l, but failed and not queued (it waits for a person)
--               u  we removed it                      j  a replayed removal: only if gen <= base
--               v  it is absent, somebody looked: only if ours, of this boot, and gen <= base
--         t     f, d or l      id  ino.size.mtime_ns.ctime_ns      tail  ,"size":…} without the brace
--         now   "1" due at once
-- Answer: three integers per item: code, generation, bytes that need no upload any more (-1: none)
--         code  0 unchanged  1 published  2 removed, never stored  3 removed, its object will be deleted
--               4 refused (another client's, or the condition does not hold)  5 nothing was there
-- A record is never decoded here: its head is matched, its text is cut and joined (numbers over 2^53).
local client, delay, deadline = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('TIME')
local us = clock[1] * 1000000 + clock[2]
local ms = math.floor(us / 1000)
local gen = math.max(tonumber(redis.call('HGET', KEYS[4], 'gen') or '0') + 1, us, tonumber(ARGV[4]) + 1)
local gen_text = string.format('%.0f', gen)
local out, moved = {}, false

local function object_key(path, t)
  if t == 'd' then return path .. '/' end
  return path
end

local function answer(code, size)
  out[#out + 1] = code
  out[#out + 1] = (code == 1 or code == 2 or code == 3) and gen or 0
  out[#out + 1] = size or -1
  if code == 1 or code == 2 or code == 3 then moved = true end
end

-- A directory that has just lost its last entry needs its own object again.
local function parent_emptied(dir, path)
  local parent = string.match(path, '^(.*)/[^/]*$')
  if parent and redis.call('HLEN', dir) == 0 then
    redis.call('ZADD', KEYS[1], 'NX', ms + delay, parent)
  end
end

local a = 6
for k = 5, #KEYS do
  local dir = KEYS[k]
  local kind, path, name, t, id, tail = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  local base, at_once = tonumber(ARGV[a + 6]), ARGV[a + 7] == '1'
  a = a + 8
  local cur = redis.call('HGET', dir, name)
  local cgen, cowner, cid, ct, since, etag, ckey
  if cur then
    cgen, cowner, cid = string.match(cur, '^{"gen":(%d+),"owner":"([^"]*)","id":"([^"]*)"')
    ct = string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f'
    since = string.match(cur, '"state":"staged","since":(%d+)')
    etag = string.match(cur, ',"etag":"([^"]*)"')
    ckey = object_key(path, ct == 'x' and string.match(cur, ',"was":"(%a)"') or ct)
  end
  local looked = kind == 'l' or kind == 'h'
  if kind == 'c' or looked then
    if looked and cur and ct ~= 'x' and cowner == client and cid == id then
      answer(0)
    elseif looked and cur and cowner ~= client then
      answer(4)
    else
      local key = object_key(path, t)
      if cur and ckey ~= key then
        -- The record can name one object only: what is stored under the old key is remembered in its row.
        local row = redis.call('HGET', KEYS[3], ckey)
        if etag and not (row and string.find(row, '"etag":"', 1, true)) then
          local head = row and string.sub(row, 1, -2) .. ',' or '{'
          row = head .. '"etag":"' .. etag .. '","gen":' .. cgen .. '}'
          redis.call('HSET', KEYS[3], ckey, row)
        end
        if row then redis.call('ZADD', KEYS[2], ms + delay, ckey) end
        etag = nil
      end
      redis.call('ZREM', KEYS[2], key)
      since = since or string.format('%.0f', ms)
      local text = '{"gen":' .. gen_text .. ',"owner":"' .. client .. '","id":"' .. id .. '"'
      if t ~= 'f' then text = text .. ',"t":"' .. t .. '"' end
      text = text .. (kind == 'h' and ',"state":"failed"' or ',"state":"staged","since":' .. since)
      if etag then text = text .. ',"etag":"' .. etag .. '"' end
      redis.call('HSET', dir, name, text .. tail .. '}')
      if kind == 'h' then
        redis.call('ZREM', KEYS[1], path)
      else
        redis.call('ZADD', KEYS[1], at_once and ms or math.min(ms + delay, tonumber(since) + deadline), path)
      end
      answer(1)
    end
  elseif not cur or ct == 'x' then
    if kind == 'u' then redis.call('ZREM', KEYS[1], path) end
    answer(5)
  elseif (kind == 'j' and tonumber(cgen) > base) or
         (kind == 'v' and (cowner ~= client or tonumber(cgen) > base or
                           not string.find(cur, '"boot":"' .. ARGV[5] .. '"', 1, true))) then
    answer(4)
  else
    local size = -1
    if since and ct == 'f' then size = tonumber(string.match(cur, ',"size":(%d+)') or '0') end
    redis.call('ZREM', KEYS[1], path)
    if etag or cowner ~= client or redis.call('HEXISTS', KEYS[3], ckey) == 1 then
      local text = '{"gen":' .. gen_text .. ',"owner":"' .. client .. '","id":"' .. cid .. '","t":"x","was":"' .. ct .. '"'
      if etag then text = text .. ',"etag":"' .. etag .. '"' end
      redis.call('HSET', dir, name, text .. '}')
      redis.call('ZADD', KEYS[2], ms + delay, ckey)
      answer(3, size)
    else
      redis.call('HDEL', dir, name)
      parent_emptied(dir, path)
      answer(2, size)
    end
  end
end
if moved then redis.call('HSET', KEYS[4], 'gen', gen_text) end
return out
