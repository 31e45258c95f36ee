/**
 * How our own gateway is set up for the bench: with a configuration that has no problem, limits and breaker at their
 * defaults, and, for one comparison, really without its breaker.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCredentials } from '../../../bench/peers/credentials.ts';
import { gatewayConfig, WITHOUT_BREAKER } from '../../../bench/peers/gateway.ts';
import { ROOT } from '../../../bench/peers/process.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemRandom } from '../../../src/runtime/random.ts';

const dir = mkdtempSync(join(tmpdir(), 'gateway-bench-config-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the configuration', () => {
  it('has no problem and no warning, and changes no limit', async () => {
    const credentials = await makeCredentials(dir, systemRandom);
    const file = join(dir, 'gateway.yaml');
    const [issuerUrl, journalUrl] = ['http://127.0.0.1:7070/card-api', `sqlite:${join(dir, 'gateway.db')}`];
    const config = gatewayConfig({ port: 8080, adminPort: 9090, issuerUrl, journalUrl, credentials });
    writeFileSync(file, JSON.stringify(config));
    const loaded = await loadConfig(file, {});
    expect(loaded).toMatchObject({ ok: true, disabled: [], warnings: [] });
    if (!loaded.ok) return;
    expect(loaded.config.clients.filter(({ payload }) => payload === 'encrypted')).toHaveLength(4);
    const tokens = credentials.bearerClients.flatMap(({ tokens }) => tokens);
    expect(new Set(tokens).size).toBe(256);
  });
});

describe('withoutBreaker', () => {
  const PROBE = `
    import { createGuardedIssuer } from './src/issuer/breaker.ts';
    import { systemClock as clock } from './src/runtime/clock.ts';
    const connector = { send: async () => 'passed on', close: async () => {} };
    const settings = { errorPercent: 50, minimumCalls: 20, windowMs: 1000, openMs: 1000 };
    const line = createGuardedIssuer({ id: 'x', connector, settings, clock });
    console.log(await line.send({}, { deadline: { leftMs: () => 0 } }));
  `;
  const probe = async (options: readonly string[]) => {
    const args = [...options, '--input-type=module', '--eval', PROBE];
    return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout.trim();
  };

  it('passes everything straight on, where the breaker looks at the time first', async () => {
    expect(await probe(WITHOUT_BREAKER)).toBe('passed on');
    expect(await probe([])).toMatch(/notSent/);
  });
});
