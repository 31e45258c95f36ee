/** A worker that ends at once where the file that the environment names is there, and is a good one where it is not. */
import { existsSync } from 'node:fs';
import { environment } from '../../src/config/environment.ts';

if (existsSync(environment.WORKER_FAILS ?? '')) process.exit(3);
const { runWorker } = await import('../../src/workers/worker.ts');
runWorker();
