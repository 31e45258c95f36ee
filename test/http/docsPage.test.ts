/**
 * The reference page in a real browser: what it shows, what it asks for, and that a call can be tried out on it. The
 * browser is Chromium, driven over its own protocol; everything that it asks any host for is written down.
 */
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APIS } from '../../src/catalogue/apis.ts';
import { openDocs } from '../../src/http/docs.ts';
import { openapiText } from '../../src/openapi/document.ts';
import { clientWith, TOKEN } from '../edge/clients.ts';
import { chromiumPath } from '../support/chromiumBinary.ts';
import { type Stage, startStage } from './stage.ts';

const openapi = () => openapiText({ basePath: '/card-api', oauth: true });
/** A browser that starts on a busy machine may take its time. */
const PATIENCE_MS = 60_000;

let browser: Browser;

beforeAll(async () => {
  // Its own sandbox needs rights that containers rarely have; it only ever sees our own page.
  browser = await chromium.launch({ executablePath: chromiumPath(), chromiumSandbox: false, timeout: PATIENCE_MS });
}, PATIENCE_MS);

afterAll(async () => browser?.close());

type Visit = {
  readonly tab: Tab;
  readonly stage: Stage;
  readonly origin: string;
  /** The address of everything that was asked for. */
  readonly asked: readonly string[];
  /** What the browser complained about: errors of scripts, and what the policy forbade. */
  readonly complaints: readonly string[];
};

/** Opens the page of a gateway, and waits until it shows the operations. */
async function visit(): Promise<Visit> {
  const stage = await startStage({
    docs: await openDocs({ openapi, page: true }),
    clients: [clientWith({ scopes: new Set(APIS.map(row => row.name)) })],
  });
  const origin = `http://127.0.0.1:${stage.port}`;
  const tab = await (await browser.newContext({ locale: 'en-US', viewport: { width: 1200, height: 900 } })).newPage();
  tab.setDefaultTimeout(PATIENCE_MS);
  const asked: string[] = [];
  const complaints: string[] = [];
  tab.on('request', request => asked.push(request.url()));
  tab.on('pageerror', error => complaints.push(error.message));
  tab.on('console', message => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await tab.goto(`${origin}/docs`);
  await tab.locator('.opblock').first().waitFor({ timeout: PATIENCE_MS });
  return { tab, stage, origin, asked, complaints };
}

describe('the reference page in Chromium', { timeout: 2 * PATIENCE_MS }, () => {
  it('lists the 47 APIs by module, and asks nobody but the gateway', async () => {
    const { tab, origin, asked, complaints } = await visit();
    const section = (name: string) => tab.locator('.opblock-tag-section', { has: tab.locator(`[data-tag="${name}"]`) });
    const paths = await tab
      .locator('.opblock [data-path]')
      .evaluateAll(all => all.map(one => one.getAttribute('data-path')));
    expect(paths.filter(path => APIS.some(row => row.path === path))).toHaveLength(47);
    expect(APIS.map(row => row.path).filter(path => !paths.includes(path))).toEqual([]);
    expect(await section('Card').locator('.opblock-deprecated').count()).toBe(1);
    const modules = new Set(APIS.map(row => row.module));
    const tags = await tab.locator('.opblock-tag').evaluateAll(all => all.map(one => one.getAttribute('data-tag')));
    expect(tags).toEqual([...modules, 'OAuth']);
    expect(await tab.locator('.opblock').count()).toBe(47 + (await section('OAuth').locator('.opblock').count()));
    expect(asked.filter(url => !url.startsWith(`${origin}/`) && !url.startsWith('data:'))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('shows the fields, rules, examples and answers of an API', async () => {
    const { tab, complaints } = await visit();
    const purchase = tab.locator('#operations-Transaction-Purchase');
    await purchase.locator('.opblock-summary-control').click();
    await purchase.locator('.opblock-body .highlight-code').first().waitFor();
    const text = await purchase.innerText();
    for (const word of ['Takes money from the cardholder', 'timestamp', 'application/json', '"tranAmount": "12.50"']) {
      expect(text).toContain(word);
    }
    const statuses = await purchase.locator('.response-col_status').allInnerTexts();
    expect(statuses).toEqual(expect.arrayContaining(['200', '307', '400', '401', '403', '404', '429', '500', '503']));
    await purchase.locator('.opblock-section-request-body .tablinks', { hasText: 'Schema' }).click();
    await purchase.getByText('tranCurrency').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('sends a call that is tried out, as of today', async () => {
    const { tab, stage, complaints } = await visit();
    await tab.locator('.auth-wrapper .authorize').click();
    await tab.locator('.auth-container', { hasText: 'bearer' }).locator('input').first().fill(TOKEN);
    await tab.locator('.auth-container', { hasText: 'bearer' }).locator('.authorize').first().click();
    await tab.locator('.modal-btn.btn-done, .close-modal').first().click();
    const purchase = tab.locator('#operations-Transaction-Purchase');
    await purchase.locator('.opblock-summary-control').click();
    await purchase.locator('.try-out__btn').click();
    await purchase.locator('.execute').click();
    await purchase.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    const [body] = stage.effects.map(bytes => JSON.parse(Buffer.from(bytes).toString('utf8')));
    expect(body.tranDate).not.toBe('20260615');
    expect(body.tranId).toMatch(/^try-[a-z0-9]+$/);
    expect(complaints).toEqual([]);
  });
});
