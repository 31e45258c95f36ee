/**
 * Finds a port that is free now. Somebody else may take it before it is used: the start fails then, and says so.
 */
import { createServer } from 'node:http';

/** A free TCP port of the host, chosen by the system. */
export async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject).listen(0, host, resolve);
  });
  const address = probe.address();
  await new Promise<void>(resolve => {
    probe.close(() => resolve());
  });
  if (address === null || typeof address === 'string') throw new TypeError('a listening server has a port');
  return address.port;
}
