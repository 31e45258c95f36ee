/**
 * How the commands of the bench begin: what is wrong with their arguments, and help, are told in one way.
 */

/** The options, or the exit code where all there was to say has been said. `read` is a text where they are wrong. */
export function optionsOrCode<T extends { readonly help: boolean }>(read: T | string, usage: string): T | number {
  if (typeof read === 'string') {
    process.stderr.write(`${read}\n\n${usage}`);
    return 2;
  }
  if (!read.help) return read;
  process.stdout.write(usage);
  return 0;
}
