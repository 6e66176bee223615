-- finish_delete: end a claim made by claim_delete.lua.
-- KEYS  1 dir hash of the parent  2 due:<client>  3 object  4 settle  5 del
-- ARGV  1 client  2 instance  3 path  4 name  5 object key  6 claimed generation  7 outcome: ok fail unknown release
--       8 ms until the next try; '-': it keeps its place  9 delay ms
-- Answer: 1 the key is gone; 0 it is not (queued again); -1 the claim was no longer ours
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local key, outcome = ARGV[5], ARGV[7]
local row = redis.call('HGET', KEYS[3], key)
local mine = '{"busy":"' .. ARGV[1] .. '/' .. ARGV[2] .. '/' .. ARGV[6] .. '/'
if not row or string.sub(row, 1, #mine) ~= mine then
  redis.call('ZADD', KEYS[4], ms + 960000, key)
  return -1
end
if outcome ~= 'ok' then
  local etag, hgen = string.match(row, '"etag":"([^"]*)","gen":(%d+)}$')
  if outcome == 'unknown' then
    redis.call('ZADD', KEYS[4], ms + 960000, key)
    if not etag then etag, hgen = '?', ARGV[6] end
  end
  if etag then
    redis.call('HSET', KEYS[3], key, '{"etag":"' .. etag .. '","gen":' .. hgen .. '}')
  else
    redis.call('HDEL', KEYS[3], key)
  end
  if ARGV[8] == '-' then
    redis.call('ZADD', KEYS[5], 'NX', ms, key)
  else
    redis.call('ZADD', KEYS[5], ms + tonumber(ARGV[8]), key)
  end
  return 0
end
redis.call('HDEL', KEYS[3], key)
redis.call('ZREM', KEYS[5], key)
local cur = redis.call('HGET', KEYS[1], ARGV[4])
if cur then
  local t = string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f'
  local was = t == 'x' and string.match(cur, ',"was":"(%a)"') or t
  if (was == 'd' and ARGV[3] .. '/' or ARGV[3]) == key then
    if t == 'x' then
      redis.call('HDEL', KEYS[1], ARGV[4])
      local parent = string.match(ARGV[3], '^(.*)/[^/]*$')
      if parent and redis.call('HLEN', KEYS[1]) == 0 then
        redis.call('ZADD', KEYS[2], 'NX', ms + tonumber(ARGV[9]), parent)
      end
    else
      -- Created again while the DELETE was on its way: nothing is stored under it now.
      redis.call('HSET', KEYS[1], ARGV[4], (string.gsub(cur, ',"etag":"[^"]*"', '', 1)))
    end
  end
end
return 1
