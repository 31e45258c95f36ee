/**
 * The command line of `npm run keys`: takes the words apart, runs one command, and turns what went wrong into one line
 * and an exit code.
 */
import { parseArgs } from 'node:util';
import { COMMANDS, type Command, OPTIONS, type OptionName, type OptionValues, type Tools } from './commands.ts';
import { KeysProblem, usageProblem } from './problem.ts';

export type Output = {
  /** One text for standard output. */
  readonly print: (text: string) => void;
  /** What went wrong, for standard error. */
  readonly complain: (text: string) => void;
};

const EXAMPLES = `Our keys for a partner, and the partner's for us:
  npm run keys -- ec keys/token.jwk.json
  npm run keys -- rsa keys/payload.jwk.json
  npm run keys -- public keys/token.jwk.json keys/payload.jwk.json --out for-the-bank.jwks.json
  npm run keys -- import from-the-bank.jwks.json --out keys/bank.jwks.json

Options:
  --force        overwrite the file that is there
  --out FILE     write there, instead of to standard output
  --bits N       size of an RSA key: 2048 (default), 3072 or 4096
  --subject NAME whom a certificate is for, such as "CN=gateway,O=Example Bank,C=DE"
  --pem          self-signed X.509 certificates instead of a JWK Set; with --subject, and --days N (default 365)
  --ca FILE      the certificates must come from this authority
  --plain        the partner's payloads are not encrypted: an RSA key is not needed
  --add          add a seal key to a file that has some
  --help         this text

Exit code 0: done. 1: a file or a key is not as it has to be. 2: the command was not written right.`;

const usage = (): string => {
  const rows = [...COMMANDS.values()].map(({ words, does }) => `  ${words}\n      ${does}`);
  return `Usage: npm run keys -- COMMAND FILE [options]\n\n${rows.join('\n')}\n\n${EXAMPLES}`;
};

const SEE_HELP = 'npm run keys -- --help shows how it is written.';

/**
 * Runs one command.
 *
 * @param argv the words after `npm run keys --`
 * @returns the exit code: 0 done, 1 a file or key is not as it has to be, 2 the command was not written right
 */
export async function runKeys(argv: readonly string[], tools: Tools, { print, complain }: Output): Promise<number> {
  try {
    const { values, positionals } = typedWords(argv);
    const { help, ...options } = values;
    const [name, ...files] = positionals;
    if (help || name === undefined) {
      print(usage());
      return help ? 0 : 2;
    }
    const command = COMMANDS.get(name);
    if (!command) throw usageProblem(`There is no command "${name}": there are ${[...COMMANDS.keys()].join(', ')}.`);
    print(
      await command.run({ files: checkedFiles(name, command, files), options: checked(name, command, options), tools }),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof KeysProblem)) throw error;
    complain(error.exitCode === 2 ? `${error.message} ${SEE_HELP}` : error.message);
    return error.exitCode;
  }
}

function typedWords(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: { ...OPTIONS, help: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    // Node's own first sentence names the option, and nothing else that was typed.
    const [sentence = 'That is no command'] = error instanceof Error ? error.message.split('. ') : [];
    throw usageProblem(`${sentence.replace(/\.$/, '')}.`);
  }
}

function checkedFiles(name: string, { several }: Command, files: readonly string[]): readonly [string, ...string[]] {
  const [first, ...others] = files;
  if (!first) throw usageProblem(`${name} needs a file.`);
  if (others.length > 0 && !several) throw usageProblem(`${name} takes one file, not ${files.length}.`);
  return [first, ...others];
}

function checked(name: string, { takes, needs }: Command, options: OptionValues): OptionValues {
  const given = new Set(Object.keys(options));
  const allowed: readonly string[] = takes;
  const extra = [...given].find(each => !allowed.includes(each));
  if (extra !== undefined) throw usageProblem(`${name} takes no --${extra}.`);
  const missing = needs.find((each: OptionName) => !options[each]);
  if (missing !== undefined) throw usageProblem(`${name} needs --${missing}.`);
  return options;
}
