-- settle: what a look at the store told about a key whose last request went unanswered, long after it could still arrive.
-- KEYS  1 dir hash of the parent  2 due:<client>  3 object  4 settle  5 del
-- ARGV  1 client  2 path  3 name  4 object key  5 etag found in the store, empty when there is no object
-- Answer: 0 as it should be  1 staged again  2 queued for deletion  3 postponed: a request for the key is under way
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local key, found = ARGV[4], ARGV[5]
local row = redis.call('HGET', KEYS[3], key)
if row and string.find(row, '^{"busy":') then
  redis.call('ZADD', KEYS[4], ms + 5000, key)
  return 3
end
local cur = redis.call('HGET', KEYS[1], ARGV[3])
local t = cur and (string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f')
redis.call('ZREM', KEYS[4], key)

-- What the store holds and no record says: a file written and removed under this key must not pass for never stored.
local function remember()
  if found == '' then
    redis.call('HDEL', KEYS[3], key)
  else
    redis.call('HSET', KEYS[3], key, '{"etag":"' .. found .. '","gen":0}')
  end
end

if t and t ~= 'x' and (t == 'd' and ARGV[2] .. '/' or ARGV[2]) == key then
  local etag = string.match(cur, ',"etag":"([^"]*)"') or ''
  if found == etag then
    redis.call('HDEL', KEYS[3], key)
  else
    remember()
  end
  if string.find(cur, ',"state":"staged"', 1, true) or string.find(cur, ',"state":"failed"', 1, true) then return 0 end
  if etag == found then return 0 end
  local head = string.match(cur, '^{"gen":%d+,"owner":"[^"]*","id":"[^"]*"')
  if t ~= 'f' then head = head .. ',"t":"' .. t .. '"' end
  local now = string.format('%.0f', ms)
  redis.call('HSET', KEYS[1], ARGV[3], head .. ',"state":"staged","since":' .. now .. string.sub(cur, #head + 1))
  local owner = string.match(cur, '"owner":"([^"]*)"')
  if owner == ARGV[1] then redis.call('ZADD', KEYS[2], ms, ARGV[2]) end
  return 1
end
remember()
if found == '' then return 0 end
redis.call('ZADD', KEYS[5], 'NX', ms, key)
return 2
