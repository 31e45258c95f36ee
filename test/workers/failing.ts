/** The gateway as `src/main.ts` runs it, with workers that a test can have fail. */
import { fileURLToPath } from 'node:url';
import { configFile, environment } from '../../src/config/environment.ts';
import { serve } from '../../src/main.ts';

const workerProgram = fileURLToPath(new URL('failingWorker.ts', import.meta.url));
const file = configFile(process.argv.slice(2), environment) ?? '';
process.exit(await serve({ file, env: environment, workerProgram }));
