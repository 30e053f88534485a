-- The generic cell rate algorithm for all limits of one request at once, by this server's own time.
--
-- KEYS: one per limit. ARGV: what the request costs; 1 when it is all or nothing, 0 when each limit
-- counts for itself; then for each limit microseconds per unit, and units.
-- Returns for each limit: whether it allows, units left, microseconds until all are there again,
-- microseconds until the same would be allowed.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local all_or_nothing = ARGV[2] == '1'

local cells = {}
local fits = true
for i, key in ipairs(KEYS) do
  local interval = tonumber(ARGV[2 * i + 1])
  local burst = interval * tonumber(ARGV[2 * i + 2])
  local due = tonumber(redis.call('GET', key) or '') or 0
  if due < now then
    due = now
  elseif due > now + burst then
    -- A clock that was put back must not lock anybody out for as long as it was.
    due = now + burst
  end
  local after = due + interval * cost
  local allows = after - now <= burst
  cells[i] = { interval = interval, burst = burst, due = due, after = after, allows = allows }
  fits = fits and allows
end

local said = {}
for i, key in ipairs(KEYS) do
  local cell = cells[i]
  local wait = 0
  if not cell.allows then
    wait = cell.after - now - cell.burst
  elseif fits or not all_or_nothing then
    cell.due = cell.after
    local keep = math.ceil((cell.due - now) / 1000)
    redis.call('SET', key, string.format('%.0f', cell.due), 'PX', string.format('%.0f', keep))
  end
  local taken = cell.due - now
  said[#said + 1] = cell.allows and 1 or 0
  said[#said + 1] = math.floor((cell.burst - taken) / cell.interval)
  said[#said + 1] = taken
  said[#said + 1] = wait
end
return said
