/**
 * The admin port: metrics, whether the process lives and should get traffic, what is revoked, and standby. It asks nobody who they are,
 * so it belongs on loopback or on a network of the operator's own; nothing on it holds card data.
 */
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Clock } from '../runtime/clock.ts';
import { type AdminRevocations, revocationRoutes } from './adminRevocations.ts';
import { type AdminStandby, standbyRoutes } from './adminStandby.ts';
import { type Connections, LIMITS, limitedServer, listen, stop } from './server.ts';

/** What readiness depends on: never on an issuer, whose outage is answered, not hidden by taking us out of service. */
export type Readiness = {
  readonly config: boolean;
  readonly journal: boolean;
  readonly draining: boolean;
  readonly standby: boolean;
  /** The journal has lost data, and takes no new money for some minutes. */
  readonly amnesia: boolean;
};

export type AdminOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: { readonly text: () => Promise<string>; readonly contentType: string };
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** Absent: whoever answers lives. */
  readonly isAlive?: () => Promise<boolean>;
  readonly revocations: AdminRevocations;
  readonly standby: AdminStandby;
  readonly clock: Clock;
  readonly onDefect: (error: unknown) => void;
};

export type AdminServer = { readonly port: number; readonly close: () => Promise<void> };

/** Scrapers and probes are few; this many connections are a mistake. */
const CONNECTIONS_MAX = 256;

/** A scrape that is cut is repeated. */
const NOTHING_TO_WAIT_FOR: Connections = {
  isIdle: () => true,
  endIdle: () => undefined,
  endAll: () => undefined,
};

/** Starts the admin port. Rejects where the address cannot be had. */
export const startAdmin = async (options: AdminOptions): Promise<AdminServer> => {
  const server = limitedServer({ ...LIMITS, connections: CONNECTIONS_MAX }, undefined);
  const listener = getRequestListener(adminApp(options).fetch, { overrideGlobalObjects: false });
  server.on('request', (incoming, outgoing) => void listener(incoming, outgoing));
  const port = await listen(server, options.host, options.port);
  return { port, close: () => stop(server, options.clock, 0, NOTHING_TO_WAIT_FOR) };
};

const adminApp = (options: AdminOptions): Hono => {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header('Cache-Control', 'no-store');
  });
  app.get('/healthz', async context => {
    const alive = (await options.isAlive?.()) ?? true;
    return context.json({ alive }, alive ? 200 : 503);
  });
  app.get('/readyz', async context => {
    const checks = await options.readiness();
    const ready = checks.config && checks.journal && !checks.draining && !checks.standby && !checks.amnesia;
    return context.json({ ready, checks }, ready ? 200 : 503);
  });
  app.get('/metrics', async context => {
    const text = await options.metrics.text();
    return context.body(text, 200, { 'Content-Type': options.metrics.contentType });
  });
  app.route('/admin/revocations', revocationRoutes(options.revocations));
  app.route('/admin/standby', standbyRoutes(options.standby));
  app.notFound(context => context.json({ error: 'not found' }, 404));
  app.onError((error, context) => {
    options.onDefect(error);
    return context.json({ error: 'internal' }, 500);
  });
  return app;
};
