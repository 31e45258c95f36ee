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
import { Rig, UNHURRIED } from './rig.ts';
import { type Load, Overlap, ROTATION_TEST, ROTATIONS, reloaded, rotateUnderLoad } from './rotation.ts';

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
const authorities = (of: readonly Identity[]): string[] => of.map(({ ca }) => ca);

const rig = new Rig();
afterAll(() => rig.end());

/** The issuer over TLS: whoever has no certificate of the authorities of `callers` is not heard. */
async function doorOf(issuer: ScriptedIssuer, first: Identity, callers: readonly Identity[]) {
  /** Every certificate that was shown to it. */
  const shown = new Set<string>();
  const context = ({ cert, key }: Identity, believed: readonly Identity[]) => ({
    cert,
    key,
    ca: authorities(believed),
  });
  const server = createServer({ ...context(first, callers), requestCert: true, rejectUnauthorized: true }, caller => {
    shown.add(caller.getPeerX509Certificate()?.fingerprint256 ?? 'none');
    pipeline(caller, connect(issuer.port, HOST), caller, () => undefined);
  });
  await new Promise<void>(resolve => server.listen(0, HOST, resolve));
  rig.atEnd(async () => void server.close());
  const { port } = server.address() as AddressInfo;
  const change = (own: Identity, believed: readonly Identity[]) => server.setSecureContext(context(own, believed));
  return { shown, change, baseUrl: `https://${HOST}:${port}${BASE_PATH}` };
}

/** A gateway that calls an issuer behind the door, and what it is told to show and to believe. */
const start = async (ours: Identity, theirs: Identity) => {
  const dir = tempDir('mtls-rotation');
  const mtls = { certFile: join(dir, 'us.pem'), keyFile: join(dir, 'us.key'), caFile: join(dir, 'issuer-ca.pem') };
  const write = ({ cert, key }: Identity, believed: readonly Identity[]): void => {
    writeFileSync(mtls.certFile, cert);
    writeFileSync(mtls.keyFile, key, { mode: 0o600 });
    writeFileSync(mtls.caFile, authorities(believed).join(''));
  };
  write(ours, [theirs]);
  const door = await doorOf(await rig.issuer(), theirs, [ours]);
  const gateway = await rig.gateway(door, { ...UNHURRIED, issuer: { ...UNHURRIED.issuer, mtls } });
  const tell = async (own: Identity, believed: readonly Identity[]): Promise<void> => {
    write(own, believed);
    await reloaded(gateway);
  };
  const pay = async () => {
    const { status, body } = await call(gateway, 'Purchase', PURCHASE);
    return `${status} ${body.responseCode}`;
  };
  return { door, tell, pay };
};

it('F77: our certificate for the issuer and its pinned authority, each second under load', ROTATION_TEST, async () => {
  let [us, them] = [identity('gateway.example'), identity(HOST)];
  const [ours, theirs] = [new Overlap(us), new Overlap(them)];
  const { door, tell, pay } = await start(us, them);
  const rotate = async (load: Load): Promise<void> => {
    for (const keys of [ours, theirs]) await keys.makeRoom(load);
    const before = them;
    [us, them] = [identity('gateway.example'), identity(HOST)];
    // Each side believes the new one before the other shows it.
    ours.announce(us);
    theirs.announce(them);
    door.change(before, ours.keys);
    ours.use(us);
    await tell(us, theirs.keys);
    theirs.use(them);
    door.change(them, ours.keys);
    for (const keys of [ours, theirs]) keys.settle();
  };
  await rotateUnderLoad(async () => pay, rotate);
  expect([ours.count, theirs.count]).toEqual([ROTATIONS, ROTATIONS]);
  expect(door.shown.size).toBe(ROTATIONS + 1);

  // The newest ones need nothing of before to lean on.
  door.change(them, [us]);
  await tell(us, [them]);
  expect(await pay()).toBe('200 00');
});
