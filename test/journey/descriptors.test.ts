/**
 * A gateway that may open no more files: what it has begun it finishes, callers that find no socket cost nobody else
 * theirs, and as soon as there are sockets again it works as before.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { call, newTranId } from '../support/client.ts';
import { findNeed } from '../support/programs.ts';
import { waitFor } from '../support/waitFor.ts';
import { approved, PATIENT, payment, Rig, UNHURRIED, untilNothingOwed } from './rig.ts';

const PRLIMIT = {
  what: 'the program prlimit',
  names: ['prlimit'],
  packages: { 'apt-get': 'util-linux', apk: 'util-linux', dnf: 'util-linux', brew: 'util-linux' },
};
/** Descriptors that are left, and callers that want one. */
const LEFT = 5;
const CALLERS = 50;

const prlimit = findNeed(PRLIMIT);

/** Connects and says nothing; `isClosed` once the other side has ended it. */
function silentCaller(port: number): { readonly socket: Socket; readonly isClosed: () => boolean } {
  const socket = connect({ port, host: '127.0.0.1' });
  let closed = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    closed = true;
  });
  return { socket, isClosed: () => closed };
}

it(
  'F71 I19: without descriptors what was begun ends well, and with them again it works as before',
  PATIENT,
  async test => {
    // Only Linux lets the limit of a running process be changed.
    if (prlimit === undefined) return;
    const rig = new Rig(test);
    const issuer = await rig.issuer();
    const gateway = await rig.gateway(issuer, UNHURRIED);
    await approved(gateway, payment('card'));
    const tranId = newTranId();
    issuer.script('Purchase', { kind: 'queueUntilReleased' }, { tranId });
    const begun = call(gateway, 'Purchase', payment('card'), { tranId });
    await issuer.waitFor('the purchase', () => issuer.queued() === 1);

    const open = readdirSync(`/proc/${gateway.pid}/fd`).length;
    execFileSync(prlimit, [`--pid=${gateway.pid}`, `--nofile=${open + LEFT}:${open + LEFT}`]);
    const callers = Array.from({ length: CALLERS }, () => silentCaller(gateway.port));
    const turnedAway = () => callers.filter(({ isClosed }) => isClosed()).length;
    await waitFor('callers to be turned away', () => turnedAway() > 0);
    issuer.release();
    expect((await begun).body.responseCode).toBe('00');

    for (const { socket } of callers) socket.destroy();
    await approved(gateway, payment('card'));
    expect(gateway.alive()).toBe(true);
    await untilNothingOwed(gateway);
  },
);
