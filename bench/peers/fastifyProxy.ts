/** A proxy of Fastify with its own plugin for that, as its documentation has it: what people would take off the shelf. */
import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { CONNECTIONS, proxyOptions } from './proxyOptions.ts';

const { port, origin } = proxyOptions();
const app = fastify();
await app.register(proxy, { upstream: origin, undici: { connections: CONNECTIONS, pipelining: 1 } });
await app.listen({ port, host: '127.0.0.1' });
