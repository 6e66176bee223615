-- mend: what shim-ctl verify --repair may change, each under the condition that nothing has changed since it looked.
-- KEYS  1 dir hash of the parent  2 due:<client>  3 object  4 del  5 meta  6 dead:<client>
-- ARGV  1 client  2 path  3 name  4 object key  5 act  6 generation of the record looked at, 0: there was none
--       7 etag in the store, empty: no object  8 generation of that object, 0: not known  9 t  10 id  11 tail (restore)
--       act  stored   the object is what the record describes: uploaded, nothing more to do
--            again    it is not: staged, due now
--            queue    staged, but in no queue: due now
--            lost     its only bytes are gone: failed, never tried again, its object (an older one) stays
--            restore  the object has no record, or an older one: it gets one, for a file that is in the store alone
--            forget   the record cannot be read: it is dropped, and the next scan publishes the file (7 is the record's text)
--            delete   an object of nothing: queued for deletion
-- Answer: 1 done  0 something changed meanwhile
local client, path, name, key, act, seen = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local etag, object_gen = ARGV[7], tonumber(ARGV[8])
local clock = redis.call('TIME')
local us = clock[1] * 1000000 + clock[2]
local ms = string.format('%.0f', math.floor(us / 1000))
local cur = redis.call('HGET', KEYS[1], name)
local gen, owner, t
if cur then
  gen, owner = string.match(cur, '^{"gen":(%d+),"owner":"([^"]*)"')
  t = string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f'
end
if act == 'forget' then return cur == etag and redis.call('HDEL', KEYS[1], name) or 0 end
if (gen or '0') ~= seen then return 0 end
local row = redis.call('HGET', KEYS[3], key)
if row and string.find(row, '^{"busy":') then return 0 end

-- No generation is handed out twice, also when Redis has forgotten how far it was.
local counter = tonumber(redis.call('HGET', KEYS[5], 'gen') or '0')
local function raise(to)
  if to > counter then redis.call('HSET', KEYS[5], 'gen', string.format('%.0f', to)) end
end

if act == 'delete' then
  if cur and t ~= 'x' and (t == 'd' and path .. '/' or path) == key then return 0 end
  redis.call('ZADD', KEYS[4], 'NX', ms, key)
  return 1
end
if act == 'restore' then
  if redis.call('ZSCORE', KEYS[4], key) then return 0 end
  if cur and t ~= 'x' and not (object_gen > tonumber(gen)) then return 0 end
  local fresh = object_gen > 0 and object_gen or math.max(counter + 1, us)
  raise(fresh)
  local text = '{"gen":' .. string.format('%.0f', fresh) .. ',"owner":"' .. client .. '","id":"' .. ARGV[10] .. '"'
  if ARGV[9] ~= 'f' then text = text .. ',"t":"' .. ARGV[9] .. '"' end
  if etag ~= '' then text = text .. ',"etag":"' .. etag .. '"' end
  redis.call('HSET', KEYS[1], name, text .. ARGV[11] .. '}')
  redis.call('HDEL', KEYS[3], key)
  return 1
end

-- The rest is about a live record of ours.
if not cur or t == 'x' or owner ~= client then return 0 end
local staged = string.find(cur, ',"state":"staged"', 1, true)
if act == 'queue' then
  if not staged then return 0 end
  redis.call('ZADD', KEYS[2], 'NX', ms, path)
  return 1
end
local head = string.match(cur, '^{"gen":%d+,"owner":"[^"]*","id":"[^"]*"')
if t ~= 'f' then head = head .. ',"t":"' .. t .. '"' end
local rest = string.sub(cur, #head + 1)
rest = string.gsub(rest, '^,"state":"staged","since":%d+', '', 1)
rest = string.gsub(rest, '^,"state":"failed"', '', 1)
rest = string.gsub(rest, '^,"etag":"[^"]*"', '', 1)
if etag ~= '' then rest = ',"etag":"' .. etag .. '"' .. rest end
raise(object_gen)
if act == 'stored' then
  redis.call('HSET', KEYS[1], name, head .. rest)
  redis.call('ZREM', KEYS[2], path)
  redis.call('HDEL', KEYS[3], key)
  redis.call('HDEL', KEYS[6], path)
elseif act == 'again' then
  redis.call('HSET', KEYS[1], name, head .. ',"state":"staged","since":' .. ms .. rest)
  redis.call('ZADD', KEYS[2], ms, path)
elseif act == 'lost' then
  redis.call('HSET', KEYS[1], name, head .. ',"state":"failed"' .. rest)
  redis.call('ZREM', KEYS[2], path)
  redis.call('HDEL', KEYS[6], path)
else
  return redis.error_reply('mend: unknown act ' .. act)
end
return 1
