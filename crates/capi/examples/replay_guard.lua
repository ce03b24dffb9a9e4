-- The replay guard that several verifiers share, on Redis 6.2 or later, or Valkey.
--
-- KEYS, with one hash tag, so that a cluster keeps them on one node:
--   1  state: a hash of counters and lists of ranges of timestamps
--   2  used:  a sorted set of the uses that were accepted, by timestamp
--   3  live:  a hash of the members that polled within the last seconds, with their clocks
--
-- A use that was accepted is in `used`, or its timestamp lies in a range of `dropped` or `unknown`,
-- and is refused. These ranges only grow, so no clock can make the guard accept a use twice: time
-- decides only what is dropped, and nothing here ever expires.
--
-- Members are verifiers. Each polls about twice a second, and announces in which range of timestamps
-- it may accept. Such ranges are `taken`: every member learns them, remembers them on its own disk,
-- and accepts only where all others have had the time to learn. So every member that is left after the server
-- lost its data knows what may have been accepted, and that becomes `unknown`.
--
-- All times are in milliseconds since 1970; ranges are written `from-to,from-to`.

local state, used, live = KEYS[1], KEYS[2], KEYS[3]
-- The largest skew that a verifier can have. A use is remembered for at least that long.
local SKEW_MAX = 300000
-- How far beyond its skew a member may accept until it polls again.
local LEAD = 5000
-- Ranges that are no further apart are one.
local GAP = 16000
local RANGES_MAX = 16
-- A member that has not polled for this many seconds of the server's clock delays no dropping.
local LIVE_S = 10
-- How many uses one call drops at most.
local DROPS_MAX = 16

local function field(section, name)
  return string.match(redis.call('INFO', section), '\n' .. name .. ':([^\r\n]*)')
end

local function text(number) return string.format('%.0f', number) end

local function parse(list)
  local ranges = {}
  for from, to in string.gmatch(list or '', '(%d+)-(%d+)') do
    ranges[#ranges + 1] = { tonumber(from), tonumber(to) }
  end
  return ranges
end

local function format(ranges)
  local parts = {}
  for at, range in ipairs(ranges) do parts[at] = text(range[1]) .. '-' .. text(range[2]) end
  return table.concat(parts, ',')
end

local function within(ranges, time)
  for _, range in ipairs(ranges) do
    if range[1] <= time and time <= range[2] then return true end
  end
  return false
end

-- Ranges that cover these ranges, and more if there would be too many.
local function add(ranges, more)
  for _, new in ipairs(more) do
    local sum, from, to = {}, new[1], new[2]
    for _, range in ipairs(ranges) do
      if range[2] + GAP < from or to + GAP < range[1] then
        sum[#sum + 1] = range
      else
        from, to = math.min(from, range[1]), math.max(to, range[2])
      end
    end
    sum[#sum + 1] = { from, to }
    table.sort(sum, function(a, b) return a[1] < b[1] end)
    if #sum > RANGES_MAX then
      local nearest = 2
      for at = 3, #sum do
        if sum[at][1] - sum[at - 1][2] < sum[nearest][1] - sum[nearest - 1][2] then nearest = at end
      end
      sum[nearest - 1] = { sum[nearest - 1][1], sum[nearest][2] }
      table.remove(sum, nearest)
    end
    ranges = sum
  end
  return ranges
end

if field('replication', 'role') ~= 'master' then return { 'replica' } end
-- Another process, or another history of replication, may have other data than its clients think.
local server = field('server', 'run_id') .. field('replication', 'master_replid')
local known = redis.call('HMGET', state, 'server', 'generation', 'id', 'accepted', 'removed',
  'unknown', 'dropped', 'taken', 'sweep', 'widest')
local generation, id = tonumber(known[2] or '0'), known[3]
local accepted, removed = tonumber(known[4] or '0'), tonumber(known[5] or '0')
local unknown, dropped = parse(known[6]), parse(known[7])
local call, its_generation, its_id, its_accepted =
  ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
-- Whether nothing was lost: the process that wrote the data still has it, no key was evicted, and
-- the caller has not seen newer data.
local whole = known[1] == server and accepted - removed == redis.call('ZCARD', used)
  and not (id == its_id and accepted < its_accepted)

-- Drops a few uses that no live member could accept again, and closes their range first.
local function sweep()
  for _, range in ipairs(parse(known[9])) do
    local dead = redis.call('ZRANGEBYSCORE', used, text(range[1]), '(' .. text(range[2]),
      'WITHSCORES', 'LIMIT', 0, DROPS_MAX)
    if #dead > 0 then
      local members = {}
      for at = 1, #dead, 2 do
        local time = tonumber(dead[at + 1])
        members[#members + 1] = dead[at]
        dropped = add(dropped, { { time, time } })
      end
      -- A full server accepts this, and then the writes that follow in the same script.
      redis.call('HDEL', state, 'full')
      redis.call('HSET', state, 'dropped', format(dropped), 'removed', text(removed + #members))
      redis.call('ZREM', used, unpack(members))
      return
    end
  end
end

-- use GENERATION ID ACCEPTED TIMESTAMP TAG YOUNG
-- YOUNG is 1 if the key was generated after its only verifier last learned of a new generation.
if call == 'use' then
  if not whole or id ~= its_id then return { 'join' } end
  local time, tag, young = tonumber(ARGV[5]), ARGV[6], ARGV[7] == '1'
  if redis.call('ZSCORE', used, tag) then return { 'replayed' } end
  if within(dropped, time) then return { 'forgotten' } end
  if not young and within(unknown, time) then return { 'starting' } end
  sweep()
  redis.call('ZADD', used, text(time), tag)
  redis.call('HSET', state, 'accepted', text(accepted + 1))
  return { 'accepted', text(accepted + 1) }
end

-- look GENERATION ID ACCEPTED MEMBER NOW SKEW WIDEST NEW_ID TAKEN
-- NEW_ID is random; WIDEST and TAKEN are what the member remembers.
local member, now, skew = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local widest = math.max(tonumber(known[10] or '0'), tonumber(ARGV[8]), skew)
local its_taken = parse(ARGV[10])
local taken = add(parse(known[8]), its_taken)
local around = { math.max(0, now - skew), now + skew + LEAD }
if not whole or (id ~= its_id and its_generation >= generation) then
  -- Data was lost or is older than what the member knows: all that may have been accepted is closed.
  generation = math.max(generation, its_generation) + 1
  id, accepted, removed = ARGV[9], redis.call('ZCARD', used), 0
  unknown = add(add(unknown, taken), { { math.max(0, now - SKEW_MAX), now + widest + LEAD } })
elseif id ~= its_id then
  -- The member comes from another generation, where it may have accepted something.
  unknown = add(unknown, its_taken)
end
taken = add(taken, { around })

-- What no live member can accept again: what is older than the window of one, and no part of the
-- window of another whose clock is further behind.
local here = tonumber(redis.call('TIME')[1])
local clocks, all = { now }, redis.call('HGETALL', live)
for at = 1, #all, 2 do
  local clock, seen = string.match(all[at + 1], '^(%d+) (%d+)$')
  if math.abs(here - tonumber(seen)) > LIVE_S then
    redis.call('HDEL', live, all[at])
  elseif all[at] ~= member then
    clocks[#clocks + 1] = tonumber(clock)
  end
end
table.sort(clocks)
local gone, from = {}, 0
for _, clock in ipairs(clocks) do
  if clock - SKEW_MAX > from then gone[#gone + 1] = { from, clock - SKEW_MAX } end
  from = math.max(from, clock + 2 * SKEW_MAX)
end

-- A full server accepts this, and then the writes that follow in the same script.
redis.call('HDEL', state, 'full')
redis.call('HSET', state, 'server', server, 'generation', text(generation), 'id', id,
  'accepted', text(accepted), 'removed', text(removed), 'unknown', format(unknown),
  'dropped', format(dropped), 'taken', format(taken), 'sweep', format(gone),
  'widest', text(widest))
redis.call('HSET', live, member, text(now) .. ' ' .. text(here))
return { 'looked', text(generation), id, text(accepted), text(widest), format(taken) }
