/**
 * How the tests run. Most of them wait for sockets, leases and time limits rather than compute, so one worker more
 * than the two cores of the smallest machine keeps both busy.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: support code starts and ends children, and some cases stop whole processes.
    pool: 'forks',
    maxWorkers: 3,
    // A wait (`test/support/waitFor.ts`) ends before it, and says what it waited for.
    testTimeout: 120_000,
    // Hooks start Redis servers and gateways, which a busy machine may take its time over.
    hookTimeout: 120_000,
    teardownTimeout: 10_000,
  },
});
