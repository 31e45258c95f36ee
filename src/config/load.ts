/**
 * Loads the configuration: reads the file, fills in what it takes from the environment and from other files, and checks
 * everything before it says yes or no, so that an operator sees every problem in one run.
 */
import { dirname, resolve } from 'node:path';
import { buildConfig } from './build.ts';
import type { LoadResult, SealKeys } from './config.ts';
import { readDocument } from './document.ts';
import { Fault } from './fault.ts';
import { Findings, type Path } from './findings.ts';
import { checkHazards } from './hazards.ts';
import { CONFIG_BYTES_MAX, CONFIG_PART_BYTES_MAX } from './limits.ts';
import { type Complete, readSections } from './read.ts';
import { checkReferences } from './references.ts';
import { checkRelations } from './relations.ts';
import { type Drafts, sections } from './schema.ts';
import { parseSealKeys } from './sealKeys.ts';
import type { Env } from './substitute.ts';
import { readTextFile, whyUnreadable } from './textFile.ts';
import { checkSupported } from './unsupported.ts';

/**
 * Loads and checks the configuration in the file at `path`, with `env` for its substitutions. Never throws: whatever is
 * wrong is in `problems`, all of it, ordered by line. Warnings do not keep the gateway from starting.
 */
export const loadConfig = async (path: string, env: Env): Promise<LoadResult> => {
  const file = resolve(path);
  const lines = new Map<string, number>();
  const findings = new Findings(path, lines);
  const config = await load(file, lines, findings, env);
  const { problems, warnings } = findings;
  return config === undefined ? { ok: false, problems, warnings } : { ok: true, config, warnings };
};

const load = async (file: string, lines: Map<string, number>, findings: Findings, env: Env) => {
  const directory = dirname(file);
  const source = await readTextFile(file, CONFIG_BYTES_MAX);
  if (!source.ok) {
    findings.problem([], `this file ${source.why}`, 'name the configuration with --config or GATEWAY_CONFIG');
    return undefined;
  }
  const tree = await readDocument(source.text, lines, findings, env, directory);
  if (tree === undefined) return undefined;
  const { drafts, complete } = readSections(tree, sections(directory), findings);
  checkReferences(drafts, findings);
  checkRelations(drafts, findings);
  checkHazards(drafts, findings);
  checkSupported(drafts, findings);
  await checkFiles(drafts, findings);
  const sealKeys = await readSealKeys(drafts.journal.sealKeyFile, findings);
  return finish(complete, sealKeys, file, lines, findings);
};

const finish = (
  complete: Complete | undefined,
  sealKeys: SealKeys | undefined,
  file: string,
  lines: ReadonlyMap<string, number>,
  findings: Findings,
) => {
  if (complete === undefined || sealKeys === undefined || findings.problems.length > 0) return undefined;
  return buildConfig(complete, { file, lines, sealKeys });
};

const FILE_MEND = 'create it, or correct the path, which is relative to this configuration file';
const GROUP_OR_OTHERS_READ = 0o044;

const readSealKeys = async (file: string | undefined, findings: Findings): Promise<SealKeys | undefined> => {
  if (file === undefined) return undefined;
  const path = ['journal', 'sealKeyFile'];
  const content = await readTextFile(file, CONFIG_PART_BYTES_MAX);
  if (!content.ok) {
    findings.problem(path, `names a file that ${content.why}`, FILE_MEND);
    return undefined;
  }
  if ((content.mode & GROUP_OR_OTHERS_READ) !== 0) {
    findings.warning(path, 'names a file that others than its owner can read', 'chmod 600 it');
  }
  const keys = parseSealKeys(content.text);
  if (!(keys instanceof Fault)) return keys;
  findings.problem(path, `names a file that ${keys.what}`, keys.mend);
  return undefined;
};

type Named = readonly [path: Path, file: string | undefined];

/** Every file that something else will read later, so that a missing one is found now. */
const filesOf = ({ server, oauth, clients = [], issuers = [] }: Drafts): readonly Named[] => [
  [['server', 'tls', 'certFile'], server.tls?.certFile],
  [['server', 'tls', 'keyFile'], server.tls?.keyFile],
  [['server', 'tls', 'clientCaFile'], server.tls?.clientCaFile],
  ...each(['oauth', 'signingKeyFiles'], oauth?.signingKeyFiles),
  ...each(['oauth', 'decryptionKeyFiles'], oauth?.decryptionKeyFiles),
  ...clients.flatMap(({ oauth: own }, index): readonly Named[] => [
    [['clients', index, 'oauth', 'keysFile'], own?.keysFile],
    [['clients', index, 'oauth', 'caFile'], own?.caFile],
    ...each(['clients', index, 'oauth', 'certificateFiles'], own?.certificateFiles),
  ]),
  ...issuers.flatMap(({ mtls, credentials }, index): readonly Named[] => [
    [['issuers', index, 'mtls', 'certFile'], mtls?.certFile],
    [['issuers', index, 'mtls', 'keyFile'], mtls?.keyFile],
    [['issuers', index, 'mtls', 'caFile'], mtls?.caFile],
    [['issuers', index, 'credentials', 'oauth', 'signingKeyFile'], credentials?.oauth?.signingKeyFile],
  ]),
];

const each = (path: Path, files: readonly string[] = []): readonly Named[] =>
  files.map((file, index): Named => [[...path, index], file]);

const checkFiles = async (drafts: Drafts, findings: Findings): Promise<void> => {
  for (const [path, file] of filesOf(drafts)) {
    if (file === undefined) continue;
    const why = await whyUnreadable(file, CONFIG_PART_BYTES_MAX);
    if (why !== undefined) findings.problem(path, `names a file that ${why}`, FILE_MEND);
  }
};
