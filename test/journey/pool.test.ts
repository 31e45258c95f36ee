/**
 * The threads of a gateway process on which private keys work, as the system counts them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { approved, payment, Rig } from './rig.ts';

it.skipIf(!existsSync('/proc/self/task'))(
  'a gateway has as many threads for private keys as there are cores',
  async test => {
    const rig = new Rig(test);
    const gateway = await rig.gateway(await rig.issuer());
    await approved(gateway, payment('any'));
    const tasks = `/proc/${gateway.pid}/task`;
    const names = readdirSync(tasks).map(task => readFileSync(`${tasks}/${task}/comm`, 'latin1').trim());
    const asked = Number(process.env.UV_THREADPOOL_SIZE ?? Math.max(2, availableParallelism()));
    expect(names.filter(name => name === 'libuv-worker')).toHaveLength(asked);
  },
);
