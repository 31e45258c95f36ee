/**
 * Writes the Lua script that makes wrk send a load: heads are put together once per caller, bodies get an id that no other
 * request of the run has, every answer is looked at, and the end is one line of JSON (`wrkReport.ts`).
 */
import type { Load, Slice } from '../peers/types.ts';
import { REPORT_MARK } from './wrkReport.ts';

export type ScriptOrder = {
  readonly load: Load;
  /** Of a pool, at least one of its messages: an error of Lua ends wrk without a word that helps. */
  readonly slice: Slice;
  /** As the `Host` header names it. */
  readonly host: string;
  /** Path of the base URL and of the load. */
  readonly path: string;
  readonly idLength: number;
};

/** A text as Lua writes one: as JSON does, but for the control characters, which it numbers in decimal. */
export const quoted = (text: string): string =>
  JSON.stringify(text).replace(
    /\\u([0-9a-f]{4})/gi,
    (_, hex) => `\\${String(Number.parseInt(hex, 16)).padStart(3, '0')}`,
  );

export function wrkScript({ load, slice, host, path, idLength }: ScriptOrder): string {
  const heads = load.callers.map(({ authorization }) => headOf(load, host, path, authorization));
  const clients = load.callers.map(({ client }) => client);
  return `${SHARED}
local heads = {${heads.map(quoted).join(',\n')}}
local clients = {${clients.join(',')}}
local from, count = ${slice.from}, ${slice.count}
local idFormat = "%0${idLength}d"
${load.body.kind === 'template' ? templateRequest(load.body, idLength) : poolRequest(load.body.file)}
${DONE}`;
}

/** Everything before the timestamp and the length, which the script adds. */
const headOf = (load: Load, host: string, path: string, authorization: string): string =>
  [
    `POST ${path} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: ${authorization}`,
    ...Object.entries(load.headers).map(([name, value]) => `${name}: ${value}`),
    'timestamp: ',
  ].join('\r\n');

const templateRequest = (body: { before: string; after: string; ids: 'fresh' | 'replayed' }, idLength: number) => `
local before, after = ${quoted(body.before)}, ${quoted(body.after)}
local middle = os.time() .. "\\r\\nContent-Length: " .. (#before + #after + ${idLength}) .. "\\r\\n\\r\\n" .. before
for i = 1, #heads do heads[i] = heads[i] .. middle end
request = function()
  local caller = sent % #heads + 1
  local id = ${body.ids === 'fresh' ? 'from + sent' : 'clients[caller]'}
  sent = sent + 1
  return heads[caller] .. string.format(idFormat, id) .. after
end`;

const poolRequest = (file: string) => `
local bodies = {}
local line = 0
for text in io.lines(${quoted(file)}) do
  if line >= from + count then break end
  if line >= from then bodies[#bodies + 1] = text end
  line = line + 1
end
local now = os.time() .. "\\r\\nContent-Length: "
for i = 1, #heads do heads[i] = heads[i] .. now end
request = function()
  local caller = sent % #heads + 1
  if sent >= #bodies then usedUp = usedUp + 1 end
  local body = bodies[sent % #bodies + 1]
  sent = sent + 1
  return heads[caller] .. #body .. "\\r\\n\\r\\n" .. body
end`;

/** An approval in plain text, or a sealed answer, which nobody but the client can read. */
const SHARED = `
local threads = {}
sent, bad, usedUp = 0, 0, 0
setup = function(thread) threads[#threads + 1] = thread end
response = function(status, headers, body)
  if status ~= 200 or not (body:find('"responseCode":"00"', 1, true) or body:sub(1, 3) == "eyJ") then bad = bad + 1 end
end`;

/** Latencies at so many percentiles that a histogram can be made of them; asking wrk for each value would take minutes. */
const DONE = `
done = function(summary, latency)
  local wrong, over = 0, 0
  for _, thread in ipairs(threads) do wrong, over = wrong + thread:get("bad"), over + thread:get("usedUp") end
  local errors, points, below = summary.errors, {}, 0
  local step = function(to, by)
    while below < to - by / 2 do
      below = below + by
      points[#points + 1] = string.format("[%d,%.6g]", latency:percentile(math.min(below, 100)), summary.requests * by / 100)
    end
  end
  step(99, 0.5) step(99.9, 0.05) step(100, 0.01)
  io.write(string.format('${REPORT_MARK}{"seconds":%.6f,"answered":%d,"bad":%d,"lost":%d,"usedUp":%d,"histogram":[%s]}\\n',
    summary.duration / 1e6, summary.requests, wrong, errors.connect + errors.read + errors.write + errors.timeout,
    over, table.concat(points, ",")))
end
`;
