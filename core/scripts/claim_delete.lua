-- claim_delete: take one object key of the deletion queue.
-- KEYS  1 dir hash of the parent  2 del  3 object  4 settle
-- ARGV  1 client  2 instance  3 path  4 name  5 object key  6 as ARGV 5 of claim.lua
-- Answer: {'ok', generation, time ms}  send the DELETE   {'wanted'} a live record needs the object; dropped from the queue
--         {'busy'} somebody sends this key
local cur = redis.call('HGET', KEYS[1], ARGV[4])
local gen, t = '0', nil
if cur then
  gen = string.match(cur, '^{"gen":(%d+)')
  t = string.match(cur, '^{[^}]-,"id":"[^"]*","t":"(%a)"') or 'f'
end
if t and t ~= 'x' and (t == 'd' and ARGV[3] .. '/' or ARGV[3]) == ARGV[5] then
  redis.call('ZREM', KEYS[2], ARGV[5])
  return {'wanted'}
end
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local row = redis.call('HGET', KEYS[3], ARGV[5])
local held = ''
if row then
  local bclient, binstance = string.match(row, '^{"busy":"([^/]*)/([^/]*)/')
  if bclient then
    if bclient ~= ARGV[1] or (binstance == ARGV[2] and ARGV[6] ~= '1') then return {'busy'} end
    if binstance ~= ARGV[2] then redis.call('ZADD', KEYS[4], ms + 960000, ARGV[5]) end
  end
  local etag, hgen = string.match(row, '"etag":"([^"]*)","gen":(%d+)}$')
  if etag then held = ',"etag":"' .. etag .. '","gen":' .. hgen end
end
local now = string.format('%.0f', ms)
redis.call('HSET', KEYS[3], ARGV[5], '{"busy":"' .. ARGV[1] .. '/' .. ARGV[2] .. '/' .. gen .. '/' .. now .. '"' .. held .. '}')
return {'ok', gen, now}
