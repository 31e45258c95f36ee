/** The program that each worker runs; its supervisor tells it everything else. */
import { runWorker } from './worker.ts';

runWorker();
