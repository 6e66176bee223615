-- finish: end a claim made by claim.lua.
-- KEYS  1 dir hash of the parent  2 due:<client>  3 object  4 settle  5 del
-- ARGV  1 client  2 instance  3 path  4 name  5 object key  6 claimed generation  7 etag
--       8 outcome: ok  stored          fail  surely not stored      release  nothing was sent
--                  unknown  sent, no answer: it may still arrive (a settle check follows in 16 minutes)
--       9 ms until the next try (fail, unknown, release); '-': it keeps its place in the queue
-- Answer: 1 the record is now uploaded; 0 it had changed meanwhile, or nothing was stored; -1 the claim was no longer ours
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local key, outcome = ARGV[5], ARGV[8]
local row = redis.call('HGET', KEYS[3], key)
local mine = '{"busy":"' .. ARGV[1] .. '/' .. ARGV[2] .. '/' .. ARGV[6] .. '/'
if not row or string.sub(row, 1, #mine) ~= mine then
  redis.call('ZADD', KEYS[4], ms + 960000, key)
  return -1
end
local cur = redis.call('HGET', KEYS[1], ARGV[4])
local gen, t
if cur then
  gen = string.match(cur, '^{"gen":(%d+)')
  t = string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f'
end
local live = cur and t ~= 'x' and (t == 'd' and ARGV[3] .. '/' or ARGV[3]) == key
if outcome == 'ok' then
  if live and gen == ARGV[6] then
    cur = string.gsub(cur, ',"state":"staged","since":%d+', '', 1)
    cur = string.gsub(cur, ',"etag":"[^"]*"', '', 1)
    local head = string.match(cur, '^{"gen":%d+,"owner":"[^"]*","id":"[^"]*"')
    if t ~= 'f' then head = head .. ',"t":"' .. t .. '"' end
    redis.call('HSET', KEYS[1], ARGV[4], head .. ',"etag":"' .. ARGV[7] .. '"' .. string.sub(cur, #head + 1))
    redis.call('ZREM', KEYS[2], ARGV[3])
    redis.call('HDEL', KEYS[3], key)
    return 1
  end
  redis.call('HSET', KEYS[3], key, '{"etag":"' .. ARGV[7] .. '","gen":' .. ARGV[6] .. '}')
  if live then
    local fresh = string.gsub(cur, '"since":%d+', '"since":' .. string.format('%.0f', ms), 1)
    redis.call('HSET', KEYS[1], ARGV[4], fresh)
  else
    redis.call('ZADD', KEYS[5], 'NX', ms, key)
  end
  return 0
end
local etag, hgen = string.match(row, '"etag":"([^"]*)","gen":(%d+)}$')
if etag then
  redis.call('HSET', KEYS[3], key, '{"etag":"' .. etag .. '","gen":' .. hgen .. '}')
else
  redis.call('HDEL', KEYS[3], key)
end
if outcome == 'unknown' then
  redis.call('ZADD', KEYS[4], ms + 960000, key)
  -- It may have arrived: a deletion from now on must ask the store.
  if not etag then redis.call('HSET', KEYS[3], key, '{"etag":"?","gen":' .. ARGV[6] .. '}') end
end
if live and ARGV[9] == '-' then
  redis.call('ZADD', KEYS[2], 'NX', ms, ARGV[3])
elseif live then
  redis.call('ZADD', KEYS[2], ms + tonumber(ARGV[9]), ARGV[3])
end
if not live and outcome == 'unknown' then redis.call('ZADD', KEYS[5], 'NX', ms, key) end
return 0
