-- renew: a claim made by claim.lua gets a new time. For an upload in parts, which may take hours and is seen by nobody until its last
-- request; that one is dated by the new time (PROTOCOL: what is dated by a claim cannot arrive a quarter of an hour later).
-- KEYS  1 object  2 dir hash of the parent
-- ARGV  1 client  2 instance  3 object key  4 claimed generation  5 name
-- Answer: the new time in ms; 0 the record has changed since, the bytes are no longer wanted; -1 the claim is no longer ours
local row = redis.call('HGET', KEYS[1], ARGV[3])
local mine = '{"busy":"' .. ARGV[1] .. '/' .. ARGV[2] .. '/' .. ARGV[4] .. '/'
if not row or string.sub(row, 1, #mine) ~= mine then return -1 end
local gen = string.match(redis.call('HGET', KEYS[2], ARGV[5]) or '', '^{"gen":(%d+)')
if gen ~= ARGV[4] then return 0 end
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
redis.call('HSET', KEYS[1], ARGV[3], mine .. string.format('%.0f', ms) .. string.match(row, '^{"busy":"[^"]*(".*)$'))
return ms
