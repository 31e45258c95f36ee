/**
 * Takes over the public keys of a partner: proves a JWK Set or certificates as the gateway would, and gives back a JWK Set
 * with nothing in it but what the gateway uses.
 */
import { readCertificate } from '../edge/certificateFacts.ts';
import { endedFaults, parseClientCertificates } from '../edge/certificates.ts';
import { isKeyFault } from '../edge/jwk.ts';
import { type ClientKeySet, parseClientJwks } from '../edge/keys.ts';
import { nameOf } from './fingerprint.ts';
import { certificateBlocks, isPem, type KeyMaterial, proved, readMaterial, readText } from './material.ts';
import { fileProblem } from './problem.ts';

export type ImportOptions = {
  /** The authority that the certificates come from; undefined: nobody vouches for them. */
  readonly caFile: string | undefined;
  /** Whether an RSA key must be among them, because payloads are encrypted. */
  readonly needsEncryption: boolean;
  readonly nowMs: number;
};

export type Imported = {
  /** A JWK Set. */
  readonly text: string;
  readonly keys: readonly KeyMaterial[];
};

/** Reads one JWK Set, or one or more files of certificates that together are one partner's. */
export async function importKeys(files: readonly string[], options: ImportOptions): Promise<Imported> {
  const where = files.join(', ');
  const found = (await Promise.all(files.map(readMaterial))).flat().filter(material => material.kind === 'key');
  if (found.some(({ isPrivate }) => isPrivate)) {
    throw fileProblem(where, { what: 'holds a private key', mend: 'ask for the public half, and for new keys' });
  }
  const texts = await Promise.all(files.map(readText));
  const { thumbprints } = texts.every(isPem)
    ? await certified(files, texts, found, options)
    : proved(where, await parseClientJwks(onlySet(where, texts, options), options));
  const keys = found.filter(({ thumbprint }) => thumbprints.includes(thumbprint));
  const text = setOf(keys);
  // What is written is read once more, so that a configuration that names it cannot fail on it.
  proved(where, await parseClientJwks(text, options));
  return { text, keys };
}

const setOf = (keys: readonly KeyMaterial[]): string =>
  `${JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }, null, 2)}\n`;

function onlySet(where: string, [text = '', ...others]: readonly string[], { caFile }: ImportOptions): string {
  if (others.length > 0) {
    throw fileProblem(where, { what: 'are several files, and not all certificates', mend: 'import one JWK Set' });
  }
  if (caFile === undefined) return text;
  throw fileProblem(where, { what: 'is no certificate, so --ca has nothing to check', mend: 'leave --ca out' });
}

async function certified(
  files: readonly string[],
  texts: readonly string[],
  found: readonly KeyMaterial[],
  { caFile, needsEncryption, nowMs }: ImportOptions,
): Promise<ClientKeySet> {
  const where = files.join(', ');
  if (caFile === undefined) {
    for (const key of found) checkCertificate(where, key, nowMs);
    return proved(where, await parseClientJwks(setOf(found), { needsEncryption }));
  }
  const chains = texts.flatMap(chainsIn);
  const ca = await readText(caFile);
  const read = await parseClientCertificates(chains, ca, nowMs, { needsEncryption });
  const set = isKeyFault(read) ? read : (endedFaults(read, nowMs)[0] ?? read);
  if (!isKeyFault(set)) return set;
  // Its words are those of the configuration file, where each chain is a file of its own.
  const told = (text: string) =>
    text.replace(/certificateFiles\[(\d+)\]/g, (_, at) => `chain ${Number(at) + 1}`).replaceAll('caFile', caFile);
  throw fileProblem(where, { what: told(set.what), mend: told(set.mend) });
}

/** A text of certificates, cut so that each part begins with one that is no authority's: the others vouch for it. */
function chainsIn(text: string): readonly string[] {
  const chains: string[] = [];
  for (const block of certificateBlocks(text)) {
    const last = chains.length - 1;
    if (last >= 0 && readCertificate(block)?.isCa) chains[last] += block;
    else chains.push(block);
  }
  return chains;
}

/** What an authority's check would have covered and nothing else does. */
function checkCertificate(where: string, { jwk, certificate }: KeyMaterial, nowMs: number): void {
  if (!certificate) return;
  const { x509, usage, fromMs, untilMs } = certificate;
  const problem = (what: string) =>
    fileProblem(where, { what: `the certificate of ${nameOf(x509.subject)} ${what}`, mend: 'ask for a new one' });
  if (nowMs > untilMs) throw problem('has expired');
  if (nowMs < fromMs) throw problem('is not valid yet');
  const needed = jwk.kty === 'EC' ? 'digitalSignature' : 'keyEncipherment';
  if (usage && !usage.has(needed)) throw problem(`has a key usage without ${needed}`);
}
