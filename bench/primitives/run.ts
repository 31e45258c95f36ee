/**
 * Measures one operation in this process and prints what was done, as `Operations` in JSON, in the last line. A process of its own
 * for each, so that one can be pinned, and none runs in code that was compiled for another.
 *
 * node bench/primitives/run.ts NAME SECONDS INPUT-AS-JSON
 */

import { settlePool } from '../../src/config/environment.ts';
import { OPERATIONS, type Operation, type OperationName } from './operations.ts';
import type { Operations } from './types.ts';

const MS = 1000;
/** Operations that need no waiting are done so many at a time, and then the clock is looked at. */
const AT_A_TIME = 32;
/** Until code is compiled: a fifth of the time, but at least so long. */
const WARM_UP_MS = 500;
const WARM_UP_SHARE = 0.2;

/** Does the operation for so long. */
export async function doFor({ step, inFlight }: Operation, ms: number): Promise<Operations> {
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const end = begun + ms;
  let done = 0;
  const lane = async () => {
    while (performance.now() < end) {
      for (let index = 0; index < AT_A_TIME; index += 1) {
        const result = step();
        // Awaiting what is no promise would be measured, too.
        if (result instanceof Promise) await result;
        done += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (done * MS) / (performance.now() - begun), perCpuSecond: (done * MS * MS) / (user + system) };
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name);

async function main([name = '', seconds, input = '{}']: readonly string[]): Promise<void> {
  // As the gateway does.
  settlePool();
  if (!isOperation(name)) throw new Error(`there is no operation ${name}`);
  const operation: Operation = await OPERATIONS[name](JSON.parse(input));
  const ms = Number(seconds) * MS;
  await doFor(operation, Math.max(WARM_UP_MS, ms * WARM_UP_SHARE));
  const operations = await doFor(operation, ms);
  await operation.end?.();
  console.log(JSON.stringify(operations));
}

if (import.meta.main) await main(process.argv.slice(2));
