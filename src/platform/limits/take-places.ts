/**
 * Takes places in sliding windows, for several keys in one call, by the clock of Redis; the rule is that of
 * SlidingWindows. An argument for each key: how many places, and width of a bucket in milliseconds, number of buckets
 * and limit of each window, as JSON. Of the places that are asked for as many are granted as are free in all windows.
 * A key holds, packed, for each window the buckets in which something was taken, as number and count in turn.
 * Answers for each key what was granted and, window by window, what remains, and the milliseconds until something
 * that counts now is free again.
 */
export const TAKE_PLACES = `
if redis.replicate_commands then redis.replicate_commands() end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers = {}
for i, key in ipairs(KEYS) do
  local ask = cjson.decode(ARGV[i])
  local stored = redis.call('GET', key)
  local windows = stored and cmsgpack.unpack(stored) or {}
  local granted, ttl, sums, buckets = ask[1], 0, {}, {}
  for j = 2, #ask do
    local width, size, max = ask[j][1], ask[j][2], ask[j][3]
    local known, kept, sum = windows[j - 1] or {}, {}, 0
    local bucket = math.floor(now / width)
    local newest = known[#known - 1] or bucket
    -- The clock of Redis may be set back: a little is waited for, more is forgotten.
    if newest > bucket + size then known = {} elseif newest > bucket then bucket = newest end
    for k = 1, #known, 2 do
      if known[k] >= bucket - size then
        kept[#kept + 1] = known[k]
        kept[#kept + 1] = known[k + 1]
        sum = sum + known[k + 1]
      end
    end
    granted = math.max(0, math.min(granted, max - sum))
    ttl = math.max(ttl, width * (size + 1))
    windows[j - 1], sums[j], buckets[j] = kept, sum, bucket
  end
  local answer = { granted }
  for j = 2, #ask do
    local width, size, max, kept = ask[j][1], ask[j][2], ask[j][3], windows[j - 1]
    if granted > 0 then
      if kept[#kept - 1] == buckets[j] then
        kept[#kept] = kept[#kept] + granted
      else
        kept[#kept + 1] = buckets[j]
        kept[#kept + 1] = granted
      end
    end
    local remaining = math.max(0, max - sums[j] - granted)
    local leaves = remaining > 0 and kept[#kept - 1] or kept[1]
    local reset = leaves and (leaves + size + 1) * width - now or 0
    answer[#answer + 1] = remaining
    answer[#answer + 1] = math.ceil(reset)
  end
  if granted > 0 then redis.call('SET', key, cmsgpack.pack(windows), 'PX', math.ceil(ttl)) end
  answers[i] = answer
end
return answers
`;
