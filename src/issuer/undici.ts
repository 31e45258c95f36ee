/**
 * The parts of undici that connections to issuers are made of. Its main module also loads fetch, WebSocket, caches and
 * mocks, which nothing here uses: a tenth of the time of every start, and 8 MiB. What is named here are files of the one
 * version that is pinned; where they are missing nothing starts.
 */
import { createRequire } from 'node:module';
import type * as undici from 'undici';

const load = createRequire(import.meta.url);

export const Client: typeof undici.Client = load('undici/lib/dispatcher/client.js');
export const buildConnector: typeof undici.buildConnector = load('undici/lib/core/connect.js');

/** The one of the methods for whole requests that is used; the main module adds them all. */
const Dispatcher: typeof undici.Dispatcher = load('undici/lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = load('undici/lib/api/api-request.js');
