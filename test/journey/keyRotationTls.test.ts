/**
 * What we show to an issuer over mutual TLS, and whom we believe there: our certificate with its key and the pinned
 * authority are both replaced each second while calls are made, and none fails (F77). The issuer's side of TLS is a door
 * in front of a scripted issuer, which changes its own certificate and the authorities of its callers in step.
 */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createServer } from 'node:tls';
import { afterAll, expect, it } from 'vitest';
import { authority, type Pair } from '../issuer/certificate.ts';
import { call } from '../support/client.ts';
import { PURCHASE } from '../support/oauth.ts';
import { tempDir } from '../support/places.ts';
import { BASE_PATH, type ScriptedIssuer } from '../support/scriptedIssuer.ts';
import { metric, Rig } from './rig.ts';
import { type Load, Overlap, ROTATION_TEST, ROTATIONS, reloaded, rotateUnderLoad, UNHURRIED } from './rotation.ts';

const YEAR = { untilDays: 365 };
const HOST = '127.0.0.1';

/** A certificate, and the authority that it is of. */
type Identity = Pair & { readonly ca: string };
let made = 0;
const identity = (host: string): Identity => {
  made += 1;
  const ca = authority(YEAR, `authority ${made}`);
  return { ...ca.issue(host, YEAR), ca: ca.cert };
};
const authorities = ({ keys }: Overlap<Identity>): string[] => keys.map(({ ca }) => ca);

const rig = new Rig();
afterAll(() => rig.end());

/** The issuer over TLS: whoever has no certificate of `callers` is not heard. */
async function doorOf(issuer: ScriptedIssuer, own: Overlap<Identity>, callers: Overlap<Identity>) {
  /** Pairs of certificates, theirs and ours, with which a connection was made. */
  const shown = new Set<string>();
  const context = () => {
    const [{ cert, key } = identity(HOST)] = own.keys;
    return { cert, key, ca: authorities(callers) };
  };
  const server = createServer({ ...context(), requestCert: true, rejectUnauthorized: true }, caller => {
    shown.add(caller.getPeerX509Certificate()?.fingerprint256 ?? 'none');
    const behind = connect(issuer.port, HOST);
    pipeline(caller, behind, caller, () => behind.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, HOST, resolve));
  rig.atEnd(async () => void server.close());
  const { port } = server.address() as AddressInfo;
  return { shown, baseUrl: `https://${HOST}:${port}${BASE_PATH}`, change: () => server.setSecureContext(context()) };
}

it('F77: our certificate for the issuer and its pinned authority, each second under load', ROTATION_TEST, async () => {
  const dir = tempDir('mtls-rotation');
  const mtls = { certFile: join(dir, 'us.pem'), keyFile: join(dir, 'us.key'), caFile: join(dir, 'issuer-ca.pem') };
  const ours = new Overlap(identity('gateway.example'));
  const theirs = new Overlap(identity(HOST));
  const write = (): void => {
    const [inUse] = ours.keys;
    writeFileSync(mtls.certFile, inUse?.cert ?? '');
    writeFileSync(mtls.keyFile, inUse?.key ?? '', { mode: 0o600 });
    writeFileSync(mtls.caFile, authorities(theirs).join(''));
  };
  write();
  const door = await doorOf(await rig.issuer(), theirs, ours);
  const gateway = await rig.gateway(door, { ...UNHURRIED, issuer: { ...UNHURRIED.issuer, mtls } });
  const pay = async () => {
    const { status, body } = await call(gateway, 'Purchase', PURCHASE);
    return `${status} ${body.responseCode}`;
  };
  const tell = async (): Promise<void> => {
    write();
    await reloaded(gateway);
  };

  await rotateUnderLoad(
    async () => pay,
    async (load: Load) => {
      for (const keys of [ours, theirs]) await keys.makeRoom(load);
      const [shownNext, believedNext] = [identity('gateway.example'), identity(HOST)];
      // Each side believes the new one before the other shows it.
      ours.announce(shownNext);
      theirs.announce(believedNext);
      door.change();
      ours.use(shownNext);
      await tell();
      theirs.use(believedNext);
      door.change();
      for (const keys of [ours, theirs]) keys.settle();
    },
  );
  expect([ours.count, theirs.count]).toEqual([ROTATIONS, ROTATIONS]);
  expect(door.shown.size).toBe(ROTATIONS + 1);

  // The newest ones stand alone, with nothing of before to lean on.
  await ours.keepNewest();
});
