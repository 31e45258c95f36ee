/**
 * All keys and certificates of a configuration, read from the files that it names and proved: each to be what it is named
 * as, to be valid now, and to be nobody else's as well. What is wrong is reported at the key that names the file. Of a
 * client, what has expired is its own loss alone: the gateway starts without it.
 */
import { endedFaults, parseClientCertificates } from '../edge/certificates.ts';
import {
  type ClientKeySet,
  type KeyOwner,
  keyCollisions,
  type OpeningKey,
  parseClientJwks,
  parseOpeningKey,
  parseSigningKey,
  type SigningKey,
} from '../edge/keys.ts';
import { type Authorities, endedFault, proveAuthorities, proveCertificate, proveKey } from './certificates.ts';
import type { IssuerTlsConfig, SealKeys, TlsConfig } from './config.ts';
import { environment, poolThreads } from './environment.ts';
import { Expiries, type Expiry } from './expiry.ts';
import { Fault } from './fault.ts';
import { type Findings, type Path, pathText } from './findings.ts';
import { KeyFiles, type Parse } from './keyFiles.ts';
import type { Draft, Drafts } from './schema.ts';
import { parseSealKeys } from './sealKeys.ts';
import type { ReadText } from './textFile.ts';

/** What the files held. A file that is not named, or is no good, leaves a gap; the latter has been reported. */
export type KeyMaterial = {
  readonly sealKeys: SealKeys | undefined;
  readonly tls: TlsConfig | undefined;
  readonly signingKeys: readonly SigningKey[];
  readonly decryptionKeys: readonly OpeningKey[];
  /** One for each client, in their order. */
  readonly clients: readonly (ClientKeySet | undefined)[];
  /** One for each issuer, in their order. */
  readonly issuers: readonly IssuerMaterial[];
  readonly expiries: readonly Expiry[];
};

export type IssuerMaterial = {
  readonly signingKey: SigningKey | undefined;
  readonly theirKeys: ClientKeySet | undefined;
  readonly decryptionKeys: readonly OpeningKey[];
  readonly tls: IssuerTlsConfig | undefined;
};

type Reader = {
  readonly files: KeyFiles;
  readonly findings: Findings;
  readonly expiries: Expiries;
  /** Now, in milliseconds since 1970. */
  readonly wallMs: number;
};

/** Somebody's keys with the place that names them. */
type Owner = KeyOwner & { readonly path: Path };

/** Reads every file with keys. */
export const readKeyMaterial = async (
  drafts: Drafts,
  findings: Findings,
  wallMs: number,
  readText: ReadText,
): Promise<KeyMaterial> => {
  const expiries = new Expiries(findings, wallMs);
  const reader = { files: new KeyFiles(findings, readText), findings, expiries, wallMs };
  const { sealKeyFile } = drafts.journal;
  const sealKeys = await reader.files.read(['journal', 'sealKeyFile'], sealKeyFile, 'secret', parseSealKeys);
  const tls = await readServerTls(drafts, reader);
  const signing = await readEach(['oauth', 'signingKeyFiles'], drafts.oauth?.signingKeyFiles, parseSigningKey, reader);
  const opening = await readEach(
    ['oauth', 'decryptionKeyFiles'],
    drafts.oauth?.decryptionKeyFiles,
    readOpeningKey,
    reader,
  );
  const owners: Owner[] = [...signing, ...opening].map(ownerOf);
  const clients: (ClientKeySet | undefined)[] = [];
  for (const [index, client] of (drafts.clients ?? []).entries()) {
    const keys = await readClientKeys(client, index, reader);
    if (keys) owners.push({ ...keys, path: ['clients', index, 'oauth'] });
    clients.push(keys);
  }
  const issuers: IssuerMaterial[] = [];
  for (const [index, issuer] of (drafts.issuers ?? []).entries()) issuers.push(await readIssuer(issuer, index, reader));
  reportCollisions(owners, findings);
  const [signingKeys, decryptionKeys] = [signing.map(({ key }) => key), opening.map(({ key }) => key)];
  return { sealKeys, tls, signingKeys, decryptionKeys, clients, issuers, expiries: expiries.all };
};

/** With a copy for each thread that may work with it. */
const readOpeningKey: Parse<OpeningKey> = text => parseOpeningKey(text, poolThreads(environment));

type Read<T> = { readonly key: T; readonly path: Path };

const ownerOf = ({ key, path }: Read<SigningKey | OpeningKey>): Owner => ({
  thumbprints: [key.thumbprint],
  kids: [key.kid],
  path,
});

const readEach = async <T extends object>(
  path: Path,
  files: readonly string[] | undefined,
  parse: Parse<T>,
  { files: reader }: Reader,
): Promise<readonly Read<T>[]> => {
  const keys: Read<T>[] = [];
  for (const [index, file] of (files ?? []).entries()) {
    const at = [...path, index];
    const key = await reader.read<T>(at, file, 'secret', parse);
    if (key) keys.push({ key, path: at });
  }
  return keys;
};

const readServerTls = async ({ server }: Drafts, reader: Reader): Promise<TlsConfig | undefined> => {
  const path = ['server', 'tls'];
  const identity = await readIdentity(path, server.tls, 'TLS certificate of the public port', reader);
  const clientCa = await readAuthorities(
    [...path, 'clientCaFile'],
    server.tls?.clientCaFile,
    'authority of client certificates at the public port',
    reader,
  );
  return identity && { ...identity, clientCa };
};

type IdentityFiles = { readonly certFile?: string | undefined; readonly keyFile?: string | undefined };

const readIdentity = async (path: Path, named: IdentityFiles | undefined, what: string, reader: Reader) => {
  const [certPath, keyPath] = [
    [...path, 'certFile'],
    [...path, 'keyFile'],
  ];
  const proved = await reader.files.read(certPath, named?.certFile, 'public', pem =>
    proveCertificate(pem, reader.wallMs),
  );
  reader.expiries.add(what, certPath, proved?.expiresAtMs);
  const pem = await reader.files.text(keyPath, named?.keyFile, 'secret');
  if (!proved || pem === undefined) return undefined;
  const key = reader.files.proved(keyPath, proveKey(pem, proved.cert));
  return key && { cert: proved.cert, key };
};

const readAuthorities = async (
  path: Path,
  file: string | undefined,
  what: string,
  reader: Reader,
): Promise<string | undefined> => {
  const read = await reader.files.read(path, file, 'public', pem => {
    const found = proveAuthorities(pem, reader.wallMs);
    return found instanceof Fault ? found : (endedFault(found, reader.wallMs) ?? found);
  });
  if (read) noteAuthorities(read, path, what, reader);
  return read?.pem;
};

const noteAuthorities = ({ ended, expiresAtMs }: Authorities, path: Path, what: string, reader: Reader): void => {
  if (ended > 0 && expiresAtMs > reader.wallMs) {
    reader.findings.warning(path, `names a file in which ${ended} of the authorities have expired`, 'remove them');
  }
  reader.expiries.add(what, path, expiresAtMs);
};

const readClientKeys = async (
  client: Draft<'client'>,
  index: number,
  reader: Reader,
): Promise<ClientKeySet | undefined> => {
  const path = ['clients', index, 'oauth'];
  const needsEncryption = (client.payload ?? 'encrypted') === 'encrypted' && client.oauth !== undefined;
  const { keysFile, certificateFiles, caFile } = client.oauth ?? {};
  const jwks = await reader.files.read([...path, 'keysFile'], keysFile, 'public', text =>
    parseClientJwks(text, { needsEncryption }),
  );
  const whose = client.id === undefined ? `clients[${index}]` : `client ${client.id}`;
  const ca = await readClientAuthorities([...path, 'caFile'], caFile, `authority of ${whose}`, reader);
  const pems: string[] = [];
  for (const [at, file] of (certificateFiles ?? []).entries()) {
    const pem = await reader.files.text([...path, 'certificateFiles', at], file, 'public');
    if (pem !== undefined) pems.push(pem);
  }
  if (ca === undefined || pems.length === 0 || pems.length < (certificateFiles?.length ?? 0)) return jwks;
  const at = [...path, 'certificateFiles'];
  const read = await parseClientCertificates(pems, ca.pem, reader.wallMs, { needsEncryption });
  const keys = reader.files.proved(at, read);
  if (keys) noteCertificates(keys, ca, at, `certificate of ${whose}`, reader);
  return keys;
};

/** Those of a client may have ended. */
const readClientAuthorities = async (path: Path, file: string | undefined, what: string, reader: Reader) => {
  const read = await reader.files.read(path, file, 'public', pem => proveAuthorities(pem, reader.wallMs));
  if (!read) return undefined;
  noteAuthorities(read, path, what, reader);
  const ended = endedFault(read, reader.wallMs);
  if (ended) reader.files.disabled(path, ended);
  return read;
};

/** Tells when the certificates end, and of those that have ended, each one, unless their authority has. */
const noteCertificates = (keys: ClientKeySet, ca: Authorities, at: Path, what: string, reader: Reader): void => {
  const { wallMs, expiries, files } = reader;
  const ends = keys.endsAtMs.filter(end => end !== undefined);
  // One that has ended must not hide when the next one does.
  for (const some of [ends.filter(end => end <= wallMs), ends.filter(end => end > wallMs)]) {
    if (some.length > 0) expiries.add(what, at, Math.min(...some));
  }
  if (endedFault(ca, wallMs)) return;
  for (const ended of endedFaults(keys, wallMs)) files.disabled(at, ended);
};

const readIssuer = async (issuer: Draft<'issuer'>, index: number, reader: Reader): Promise<IssuerMaterial> => {
  const path = ['issuers', index];
  const whose = issuer.id === undefined ? `issuers[${index}]` : `issuer ${issuer.id}`;
  const { signingKeyFile } = issuer.credentials?.oauth ?? {};
  const signingAt = [...path, 'credentials', 'oauth', 'signingKeyFile'];
  const signingKey = await reader.files.read(signingAt, signingKeyFile, 'secret', parseSigningKey);
  const { issuerKeysFile, decryptionKeyFiles } = issuer.payloadKeys ?? {};
  const theirKeys = await reader.files.read(
    [...path, 'payloadKeys', 'issuerKeysFile'],
    issuerKeysFile,
    'public',
    text => parseClientJwks(text, { needsEncryption: true, needsVerification: false }),
  );
  const ours = await readEach(
    [...path, 'payloadKeys', 'decryptionKeyFiles'],
    decryptionKeyFiles,
    readOpeningKey,
    reader,
  );
  // Keys towards one issuer are checked among themselves: the same pair may well serve several purposes of ours.
  reportCollisions(ours.map(ownerOf), reader.findings);
  return {
    signingKey,
    theirKeys,
    decryptionKeys: ours.map(({ key }) => key),
    tls: await readMtls(issuer, path, whose, reader),
  };
};

const readMtls = async (
  { mtls }: Draft<'issuer'>,
  path: Path,
  whose: string,
  reader: Reader,
): Promise<IssuerTlsConfig | undefined> => {
  if (mtls === undefined) return undefined;
  const at = [...path, 'mtls'];
  const identity = await readIdentity(at, mtls, `our certificate for ${whose}`, reader);
  const ca = await readAuthorities([...at, 'caFile'], mtls.caFile, `authority of ${whose}`, reader);
  return { cert: identity?.cert, key: identity?.key, ca };
};

const COLLISION = {
  key: ['holds a key that', 'also has', 'give each its own key'],
  kid: ['holds a key whose kid is also that of a key of', '', 'give each key a kid of its own'],
} as const;

const reportCollisions = (owners: readonly Owner[], findings: Findings): void => {
  const collisions = keyCollisions(owners);
  const sameKey = new Set(
    collisions.filter(({ kind }) => kind === 'key').map(({ first, second }) => `${first} ${second}`),
  );
  for (const { kind, first, second } of collisions) {
    const [one, other] = [owners[first], owners[second]];
    // One key has one kid wherever it is: that would be said twice.
    if (!one || !other || (kind === 'kid' && sameKey.has(`${first} ${second}`))) continue;
    const [begin, end, mend] = COLLISION[kind];
    findings.problem(other.path, `names a file that ${begin} ${pathText(one.path)} ${end}`.trimEnd(), mend);
  }
};
