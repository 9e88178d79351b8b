-- Requests made beforehand, sent one after the other: wrk does nothing but write bytes.
-- Arguments: the file of requests (see benchmarks/wrk.py), and milliseconds to wait before each.

local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

local requests, order, last, pause = {}, {}, 0, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local count, length, places = file:read("*n", "*n", "*n")
   for i = 1, count do
      local size = file:read("*n")
      file:read(1)
      requests[i] = file:read(size)
   end
   for i = 1, length do
      order[i] = requests[file:read("*n")]
   end
   file:close()
   last = math.floor((number or 0) * length / places)
   pause = tonumber(args[2]) or 0
   if length == 1 then
      wrk.format = function() return requests[1] end
   else
      request = function()
         last = last + 1
         if last > #order then last = 1 end
         return order[last]
      end
   end
   if pause > 0 then
      delay = function() return math.random(0, 2 * pause) end
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "bytes": %d, "seconds": %f, "p50": %f, "p99": %f, "most": %f, '
         .. '"refused": %d, "broken": %d, "late": %d}\n',
      summary.requests, summary.bytes, summary.duration / 1e6,
      latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, latency.max / 1e6,
      errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
