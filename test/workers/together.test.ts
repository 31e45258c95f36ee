/**
 * What an operator hears of several workers together while some of them are gone or say nothing, with processes that are
 * none.
 */
import { expect, it } from 'vitest';
import { createMetricsSum } from '../../src/runtime/metricsSum.ts';
import { Supervisor } from '../../src/workers/supervisor.ts';
import { together } from '../../src/workers/together.ts';
import { loadGood, SAMPLE } from '../config/sample.ts';
import { FakeProcess, HeldClock, type Manner, NO_LOG, READY, settled } from './processesKit.ts';

/** Two workers that behave so, and what is there of them together. */
async function stage(...manners: readonly [Manner, Manner]) {
  const clock = new HeldClock();
  const processes: FakeProcess[] = [];
  const fork = () => {
    const process = new FakeProcess(100 + processes.length, manners[processes.length] ?? { start: undefined });
    processes.push(process);
    return process;
  };
  const metrics = createMetricsSum();
  const snapshot = { path: 'gateway.yaml', env: {}, files: {} };
  const supervisor = new Supervisor({ workers: 2, fork, snapshot, clock, log: NO_LOG, metrics });
  await supervisor.start();
  const { config } = await loadGood(SAMPLE);
  return { clock, processes, surface: together({ supervisor, config, metrics, alsoReady: () => true }) };
}

it('is ready where all are, and what is wrong with one is wrong with the gateway', async () => {
  const fine = await stage({}, {});
  expect(await fine.surface.readiness()).toEqual(READY);
  const other = { config: true, journal: false, draining: false, standby: true, amnesia: true };
  const poor = await stage({}, { readiness: other });
  expect(await poor.surface.readiness()).toEqual(other);
});

it('goes on without one that is being replaced, and is not ready without any', async () => {
  const { processes, surface } = await stage({}, {});
  processes[0]?.kill();
  await settled();
  expect([await surface.readiness(), await surface.isAlive?.()]).toEqual([READY, true]);
  processes[1]?.kill();
  await settled();
  expect(await surface.readiness()).toMatchObject({ config: false, journal: false });
  await expect(surface.revocations.revoke({ kind: 'jti', id: 'x' })).rejects.toThrow('no worker serves now');
});

it('goes on without one that an operator has told to end, and is not ready where all of them were', async () => {
  const draining = { readiness: { ...READY, draining: true } };
  const one = await stage({}, draining);
  expect(await one.surface.readiness()).toEqual(READY);
  const both = await stage(draining, draining);
  expect(await both.surface.readiness()).toMatchObject({ config: false, journal: false });
});

it('is neither ready nor alive where one does not answer, as one process that hangs would be', async () => {
  const { clock, surface } = await stage({}, { readiness: undefined });
  const [ready, alive] = [surface.readiness(), surface.isAlive?.()];
  await clock.pass(3000);
  expect([(await ready).config, await alive]).toEqual([false, false]);
});

it('S: what could not be written of a revocation is told to each, so that it holds in all', async () => {
  const { processes, surface } = await stage({ revoke: 'unwritten' }, { revoke: 'unwritten' });
  expect(await surface.revocations.revoke({ kind: 'client', id: 'wallet' })).toBe('unwritten');
  expect(processes.map(({ calls }) => calls.includes('revoke'))).toEqual([true, true]);
  const written = await stage({ revoke: 'done' }, { revoked: { revoked: [], lifted: [] } });
  expect(await written.surface.revocations.revoke({ kind: 'client', id: 'wallet' })).toBe('done');
  expect(written.processes.map(({ calls }) => calls.at(-1))).toEqual(['revoke', 'revoked']);
});

it('standby is said to all, and done where all of them say so', async () => {
  const both = await stage({ setStandby: true }, { setStandby: true });
  expect(await both.surface.standby.set('https://other.example')).toBe(true);
  const one = await stage({ setStandby: true }, { setStandby: false });
  expect(await one.surface.standby.set(null)).toBe(false);
});
