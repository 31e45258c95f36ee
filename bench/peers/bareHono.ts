/** A proxy of Hono and undici that does nothing but forward: what the gateway's own libraries cost without the gateway. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Pool } from 'undici';
import { CONNECTIONS, proxyOptions } from './proxyOptions.ts';

const { port, origin } = proxyOptions();
const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1 });
const app = new Hono();

app.post('*', async context => {
  const reply = await pool.request({
    method: 'POST',
    path: context.req.path,
    headers: { 'content-type': 'application/json' },
    body: await context.req.text(),
  });
  const text = await reply.body.text();
  return new Response(text, { status: reply.statusCode, headers: { 'content-type': 'application/json' } });
});

serve({ fetch: app.fetch, port, hostname: '127.0.0.1' });
