/**
 * What is unexpected ends the process: nothing is caught to go on with, and the journal knows what was left behind (F66).
 */
import type { Log } from './log.ts';

/** Ends this process with 1, and a line in the log, where something is thrown that nobody catches. */
export const endOnDefect = (log: Log): void => {
  const end = (error: unknown) => {
    log.defect(error);
    // The log writes its last lines as the process exits.
    process.exit(1);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
};
