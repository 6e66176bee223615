-- retry: dead letters become due now, and their attempts count anew.
-- KEYS  1 due:<client>  2 dead:<client>
-- ARGV  paths
-- Answer: how many of them were dead letters
local clock = redis.call('TIME')
local ms = math.floor((clock[1] * 1000000 + clock[2]) / 1000)
local count = 0
for i = 1, #ARGV do
  local letter = redis.call('HGET', KEYS[2], ARGV[i])
  if letter then
    -- A quote inside a text of the letter has a backslash before it: this is the member itself.
    redis.call('HSET', KEYS[2], ARGV[i], (string.gsub(letter, '"attempts":%d+', '"attempts":0', 1)))
    redis.call('ZADD', KEYS[1], ms, ARGV[i])
    count = count + 1
  end
end
return count
