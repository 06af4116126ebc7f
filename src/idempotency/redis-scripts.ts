import { type RedisScript, redisScript } from "../databases/redis.ts";

// An event is one hash, so that a script needs no other key: `print` is the fingerprint of the first claim; `fence`,
// `lease` and `end` are there while somebody holds the key; `marks` counts the marks, and `m:<subscriber>` is the place of
// each; `done` says that the event was handled. ARGV[1] is always the fence.

const IF_HELD = `
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
`;

/** `now` from ARGV[2], or by the server's clock where that is empty. */
const NOW = `
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`;

/** Sets the lease of ARGV[3]. The key outlives it by the ttl of ARGV[4], for the marks of a run that vanishes. */
const LEASE = `
redis.call('HSET', KEYS[1], 'lease', ARGV[3], 'end', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[3] + ARGV[4]))
`;

/**
 * Fence, now, lease, ttl, fingerprint. A lease that ends further ahead than it could dates from before a clock set back. A
 * claim under the same fence is the same claim, which ioredis has sent again after it lost the reply.
 */
export const CLAIM: RedisScript = redisScript(`${NOW}
local known = redis.call('HMGET', KEYS[1], 'done', 'print', 'fence', 'end', 'lease')
if known[1] then return { 'done', known[2] } end
if known[3] and known[3] ~= ARGV[1] then
  local left = known[4] - now
  if left > 0 and left <= 2 * known[5] then return { 'busy' } end
end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
redis.call('HSETNX', KEYS[1], 'print', ARGV[5])
${LEASE}
local reply = { 'claimed' }
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  if string.sub(fields[index], 1, 2) == 'm:' then
    reply[1 + tonumber(fields[index + 1])] = string.sub(fields[index], 3)
  end
end
return reply
`);

/** Fence, now, lease, ttl. */
export const EXTEND: RedisScript = redisScript(`${IF_HELD}${NOW}${LEASE}
return 1
`);

/** Fence, subscriber. */
export const MARK: RedisScript = redisScript(`${IF_HELD}
local field = 'm:' .. ARGV[2]
if redis.call('HEXISTS', KEYS[1], field) == 0 then
  redis.call('HSET', KEYS[1], field, redis.call('HINCRBY', KEYS[1], 'marks', 1))
end
return 1
`);

/** Fence, ttl. Nobody asks for the marks of a handled event. */
export const COMPLETE: RedisScript = redisScript(`${IF_HELD}
local print = redis.call('HGET', KEYS[1], 'print')
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'done', 1, 'print', print)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

/** Fence, ttl. */
export const RELEASE: RedisScript = redisScript(`${IF_HELD}
redis.call('HDEL', KEYS[1], 'fence', 'lease', 'end')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);
