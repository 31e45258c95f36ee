/**
 * The commands of `npm run keys`, one row each: make keys, have them certified, give their public halves away, take a
 * partner's over, and read fingerprints out.
 */
import { Fault } from '../config/fault.ts';
import { parseSealKeys } from '../config/sealKeys.ts';
import type { Secret } from '../domain/secret.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Random } from '../runtime/random.ts';
import { requestFor, selfSigned } from './certify.ts';
import { describeMaterial } from './fingerprint.ts';
import { importKeys } from './importKeys.ts';
import { codeOf, type FileOptions, FOR_ALL_TO_READ, OWNER_ONLY, replaceFile, writeNew } from './keyFiles.ts';
import { makeEcKey, makeRsaKey, makeSealKey, RSA_BITS } from './make.ts';
import { type KeyMaterial, type PrivateKey, readMaterial, readPrivateKey, readText } from './material.ts';
import { fileProblem, usageProblem } from './problem.ts';
import { parseSubject } from './subject.ts';

export type Tools = { readonly clock: Clock; readonly random: Random };

/** The options of all commands; each row says which of them it takes. */
export const OPTIONS = {
  add: { type: 'boolean' },
  bits: { type: 'string' },
  ca: { type: 'string' },
  days: { type: 'string' },
  force: { type: 'boolean' },
  out: { type: 'string' },
  pem: { type: 'boolean' },
  plain: { type: 'boolean' },
  subject: { type: 'string' },
} as const;
export type OptionName = keyof typeof OPTIONS;
export type OptionValues = {
  readonly [Name in OptionName]?: ((typeof OPTIONS)[Name]['type'] extends 'boolean' ? boolean : string) | undefined;
};

export type Call = {
  readonly files: readonly [string, ...string[]];
  readonly options: OptionValues;
  readonly tools: Tools;
};

export type Command = {
  readonly words: string;
  readonly does: string;
  readonly takes: readonly OptionName[];
  readonly needs: readonly OptionName[];
  /** Whether it works on several files. */
  readonly several: boolean;
  /** What it prints on standard output. */
  readonly run: (call: Call) => Promise<string>;
};

const row = (command: Partial<Command> & Pick<Command, 'words' | 'does' | 'run'>): Command => ({
  takes: [],
  needs: [],
  several: false,
  ...command,
});

export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  [
    'ec',
    row({
      words: 'ec FILE [--force]',
      does: 'make a private EC P-256 key: it signs tokens or client assertions',
      takes: ['force'],
      run: async call => keep(call, await makeEcKey()),
    }),
  ],
  [
    'rsa',
    row({
      words: 'rsa FILE [--bits 2048|3072|4096] [--force]',
      does: 'make a private RSA key: it opens what is encrypted to us',
      takes: ['bits', 'force'],
      run: async call => keep(call, await makeRsaKey(bitsOf(call))),
    }),
  ],
  [
    'seal',
    row({
      words: 'seal FILE [--add]',
      does: 'make the key that seals the journal; --add: as the last line of a file that has keys',
      takes: ['add'],
      run: seal,
    }),
  ],
  [
    'csr',
    row({
      words: 'csr KEYFILE --subject CN=... [--out FILE] [--force]',
      does: 'ask an authority for a certificate of the key (PKCS#10)',
      takes: ['subject', 'out', 'force'],
      needs: ['subject'],
      run: async call => {
        const subject = parseSubject(call.options.subject ?? '');
        return give(call, requestFor(await readPrivateKey(call.files[0]), subject));
      },
    }),
  ],
  [
    'public',
    row({
      words: 'public KEYFILE... [--pem [--subject CN=...] [--days N]] [--out FILE] [--force]',
      does: 'the public halves of our keys for a partner, as a JWK Set or as self-signed certificates',
      takes: ['pem', 'subject', 'days', 'out', 'force'],
      several: true,
      run: async call => {
        const given = await give(call, await publicHalves(call));
        // What is given away in a file is what will be read out by telephone.
        return call.options.out === undefined ? given : describeFiles([call.options.out], call.tools);
      },
    }),
  ],
  [
    'import',
    row({
      words: 'import FILE... --out FILE [--ca FILE] [--plain] [--force]',
      does: "check a partner's JWK Set or certificates, and write them as a clean JWK Set",
      takes: ['out', 'ca', 'plain', 'force'],
      needs: ['out'],
      several: true,
      run: importPartner,
    }),
  ],
  [
    'fingerprint',
    row({
      words: 'fingerprint FILE...',
      does: 'what the keys in a file are, with SHA-256 fingerprints to compare by telephone',
      several: true,
      run: ({ files, tools }) => describeFiles(files, tools),
    }),
  ],
]);

function bitsOf({ options }: Call): (typeof RSA_BITS)[number] {
  const asked = options.bits ?? '2048';
  const bits = RSA_BITS.find(each => String(each) === asked);
  if (bits === undefined) throw usageProblem(`--bits takes ${RSA_BITS.join(', ')}, not "${asked}".`);
  return bits;
}

/** Keeps a private key and tells what has been made. */
async function keep({ files: [file], options, tools }: Call, key: Secret<string>): Promise<string> {
  await write(file, `${key.reveal()}\n`, { random: tools.random, mode: OWNER_ONLY }, options.force);
  return describeFiles([file], tools);
}

async function seal({ files: [file], options, tools: { random } }: Call): Promise<string> {
  const line = makeSealKey(random).reveal();
  if (!options.add) {
    // No --force here: with the key everything in the journal would be lost.
    await write(file, `${line}\n`, { random }, false, `add a key to it with --add, or name another file`);
    return `${file}\n\n  32 bytes, PRIVATE. Name it in journal.sealKeyFile; whoever has it reads the journal.`;
  }
  const text = `${(await readText(file)).trimEnd()}\n${line}\n`;
  const keys = parseSealKeys(text);
  if (keys instanceof Fault) throw fileProblem(file, keys);
  await writing(file, replaceFile(file, text, { random }));
  return `${file}\n\n  ${keys.length} keys; the new one is the last: it opens, and seals once it is moved to the first line.`;
}

/** Prints what is meant for others, or writes it to `--out`. */
async function give({ options, tools }: Call, text: string): Promise<string> {
  if (options.out === undefined) return text.trimEnd();
  await write(options.out, text, { random: tools.random, mode: FOR_ALL_TO_READ }, options.force);
  return options.out;
}

const DAYS_DEFAULT = 365;
/** Browsers' authorities stopped at 398 days; partners who exchange keys by hand want some more. */
const DAYS_MOST = 1825;

async function publicHalves({ files, options, tools }: Call): Promise<string> {
  if (!options.pem && (options.subject ?? options.days) !== undefined) {
    throw usageProblem('--subject and --days belong to --pem.');
  }
  const days = Number(options.days ?? DAYS_DEFAULT);
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MOST) throw usageProblem(`--days takes 1 to ${DAYS_MOST}.`);
  const keys = await Promise.all(files.map(readPrivateKey));
  if (!options.pem) return `${JSON.stringify({ keys: keys.map(key => key.publicJwk) }, null, 2)}\n`;
  const certify = (key: PrivateKey) => {
    const subject = parseSubject(options.subject ?? `CN=${key.publicJwk.kid}`);
    return selfSigned(key, { subject, days, nowMs: tools.clock.wallMs(), random: tools.random });
  };
  return keys.map(certify).join('');
}

async function importPartner({ files, options, tools }: Call): Promise<string> {
  const nowMs = tools.clock.wallMs();
  const { text, keys } = await importKeys(files, { caFile: options.ca, needsEncryption: !options.plain, nowMs });
  const out = options.out ?? '';
  await write(out, text, { random: tools.random, mode: FOR_ALL_TO_READ }, options.force);
  return [describeMaterial(out, keys, nowMs), ...importNotes(out, keys, options.ca)].join('\n\n');
}

function importNotes(out: string, keys: readonly KeyMaterial[], ca: string | undefined): readonly string[] {
  const vouched =
    ca === undefined
      ? `Nobody has vouched for these keys yet: compare the fingerprints by telephone before ${out} is used.`
      : `${ca} vouches for these keys. Compare the fingerprints by telephone all the same before ${out} is used.`;
  const ends = keys.flatMap(({ certificate }) => certificate?.untilMs ?? []);
  if (ends.length === 0) return [vouched];
  const end = new Date(Math.min(...ends)).toISOString().slice(0, 10);
  const note = `A JWK Set does not say that its certificates end, the first of these on ${end}: note the day, or configure`;
  return [vouched, `${note}\nthe certificates themselves (certificateFiles and caFile).`];
}

async function describeFiles(files: readonly string[], { clock }: Tools): Promise<string> {
  const described = files.map(async file => describeMaterial(file, await readMaterial(file), clock.wallMs()));
  return (await Promise.all(described)).join('\n\n');
}

async function write(
  file: string,
  text: string,
  options: FileOptions,
  force: boolean | undefined,
  mend = 'name another file, or overwrite it with --force',
): Promise<void> {
  if (force) return writing(file, replaceFile(file, text, options));
  const written = await writing(file, writeNew(file, text, options));
  if (!written) throw fileProblem(file, { what: 'is there already', mend });
}

const CANNOT: Readonly<Record<string, string>> = {
  ENOENT: 'its directory is not there',
  ENOTDIR: 'its directory is not there',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  EISDIR: 'is a directory',
  ENOSPC: 'the disk is full',
};

async function writing<T>(file: string, writes: Promise<T>): Promise<T> {
  try {
    return await writes;
  } catch (error) {
    const code = codeOf(error) ?? 'unknown error';
    throw fileProblem(file, {
      what: CANNOT[code] ?? `cannot be written (${code})`,
      mend: 'name a file that can be written',
    });
  }
}
