-- claim: take one path of the delay queue for an upload (PROTOCOL: one claim a key in the whole volume).
-- KEYS  1 dir hash of the parent  2 due:<client>  3 object  4 settle  5 dir hash of the path itself
-- ARGV  1 client  2 instance  3 path  4 name  5 '1': nothing of this instance is under way for the key, so a claim of its own is one
--       whose answer was lost; nothing was sent for it
-- Answer: {'ok', record, generation, time ms}  upload it; the request is dated by that time
--         {'gone'} nothing there  {'foreign'} another client's  {'done'} nothing to do  {'busy'} somebody sends this key
local cur = redis.call('HGET', KEYS[1], ARGV[4])
local gen, owner, rest
if cur then gen, owner, rest = string.match(cur, '^{"gen":(%d+),"owner":"([^"]*)","id":"[^"]*"(.*)$') end
local t = rest and (string.match(rest, '^,"t":"(%a)"') or 'f')
if not gen or t == 'x' then
  redis.call('ZREM', KEYS[2], ARGV[3])
  return {'gone'}
end
if owner ~= ARGV[1] then
  redis.call('ZREM', KEYS[2], ARGV[3])
  return {'foreign'}
end
if string.find(cur, ',"state":"failed"', 1, true) then
  -- Out of the queue until a person has it tried again: so one has.
  local clock = redis.call('TIME')
  local now = string.format('%.0f', math.floor((clock[1] * 1000000 + clock[2]) / 1000))
  cur = string.gsub(cur, ',"state":"failed"', ',"state":"staged","since":' .. now, 1)
  redis.call('HSET', KEYS[1], ARGV[4], cur)
end
local staged, has_object = string.find(cur, ',"state":"staged"', 1, true), string.find(cur, ',"etag":"', 1, true)
if t == 'd' then
  if redis.call('HLEN', KEYS[5]) > 0 then
    -- Only an empty directory needs an object of its own; one that was stored earlier may stay.
    local key = ARGV[3] .. '/'
    local row = redis.call('HGET', KEYS[3], key)
    local bclient, binstance = string.match(row or '', '^{"busy":"([^/]*)/([^/]*)/')
    if bclient then
      if bclient ~= ARGV[1] or (binstance == ARGV[2] and ARGV[5] ~= '1') then return {'busy'} end
      -- Our own uploader of an earlier run held it: what it sent may still arrive.
      local etag, hgen = string.match(row, '"etag":"([^"]*)","gen":(%d+)}$')
      redis.call('HSET', KEYS[3], key, '{"etag":"' .. (etag or '?') .. '","gen":' .. (hgen or gen) .. '}')
      local clock = redis.call('TIME')
      redis.call('ZADD', KEYS[4], math.floor((clock[1] * 1000000 + clock[2]) / 1000) + 960000, key)
    end
    if staged then redis.call('HSET', KEYS[1], ARGV[4], (string.gsub(cur, ',"state":"staged","since":%d+', '', 1))) end
    redis.call('ZREM', KEYS[2], ARGV[3])
    return {'done'}
  end
end
if not staged and not (t == 'd' and not has_object) then
  redis.call('ZREM', KEYS[2], ARGV[3])
  return {'done'}
end
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local key = t == 'd' and ARGV[3] .. '/' or ARGV[3]
local row = redis.call('HGET', KEYS[3], key)
local held = ''
if row then
  local bclient, binstance = string.match(row, '^{"busy":"([^/]*)/([^/]*)/')
  if bclient then
    if bclient ~= ARGV[1] or (binstance == ARGV[2] and ARGV[5] ~= '1') then return {'busy'} end
    -- Our own uploader of an earlier run held it: what it sent may still arrive.
    if binstance ~= ARGV[2] then redis.call('ZADD', KEYS[4], ms + 960000, key) end
  end
  local etag, hgen = string.match(row, '"etag":"([^"]*)","gen":(%d+)}$')
  if etag then held = ',"etag":"' .. etag .. '","gen":' .. hgen end
end
local now = string.format('%.0f', ms)
redis.call('HSET', KEYS[3], key, '{"busy":"' .. ARGV[1] .. '/' .. ARGV[2] .. '/' .. gen .. '/' .. now .. '"' .. held .. '}')
return {'ok', cur, gen, now}
