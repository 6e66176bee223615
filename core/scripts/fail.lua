-- fail: the bytes of a record's last state are lost or not to be trusted. It leaves the queue and waits for a person; the object
-- of an earlier state, if there is one, stays.
-- KEYS  1 dir hash of the parent  2 due:<client>
-- ARGV  1 client  2 path  3 name  4 generation of the record that was judged
-- Answer: 1 the record is failed now; 0 it is another one by now, or was not staged
local cur = redis.call('HGET', KEYS[1], ARGV[3])
local gen, owner = string.match(cur or '', '^{"gen":(%d+),"owner":"([^"]*)"')
if gen ~= ARGV[4] or owner ~= ARGV[1] then return 0 end
local text, n = string.gsub(cur, ',"state":"staged","since":%d+', ',"state":"failed"', 1)
if n == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], text)
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
