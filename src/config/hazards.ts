/**
 * Checks what is allowed but dangerous: messages in the clear beyond this machine are refused unless the operator says so
 * out loud, and what is merely unwise is a warning.
 */
import { isEveryone, isLoopback, isPlaintextBeyondLoopback } from './addresses.ts';
import type { Findings } from './findings.ts';
import { journalHosts } from './journalUrl.ts';
import type { Drafts } from './schema.ts';

const OUT_LOUD = 'dangerouslyAllowPlaintext: true';

/** Reports every danger. */
export const checkHazards = (drafts: Drafts, findings: Findings): void => {
  checkServer(drafts, findings);
  checkJournal(drafts, findings);
  checkOauth(drafts, findings);
  checkClients(drafts, findings);
  checkIssuers(drafts, findings);
};

const checkServer = ({ server, admin }: Drafts, findings: Findings): void => {
  const beyond = server.host !== undefined && !isLoopback(server.host);
  const plain = server.tls === undefined && !findings.isFaulty(['server', 'tls']);
  if (beyond && plain && server.dangerouslyAllowPlaintext === false) {
    const what = 'callers beyond this machine would be served without TLS';
    findings.problem(
      ['server', 'host'],
      what,
      `listen on 127.0.0.1, or write ${OUT_LOUD} in server if a proxy ends TLS`,
    );
  }
  if (admin.host !== undefined && !isLoopback(admin.host)) {
    const what = 'the admin port has neither TLS nor credentials and listens beyond this machine';
    findings.warning(['admin', 'host'], what, 'listen on 127.0.0.1, or let a firewall admit only who may see it');
  }
  for (const [index, proxy] of (server.trustedProxies ?? []).entries()) {
    if (!isEveryone(proxy)) continue;
    const what = 'anybody is trusted to name the address that a call came from';
    findings.warning(['server', 'trustedProxies', index], what, 'name the networks of the proxies');
  }
};

const checkJournal = ({ journal }: Drafts, findings: Findings): void => {
  const target = journal.url;
  if (target === undefined || target.kind === 'sqlite' || target.tls) return;
  if (journalHosts(target).every(node => isLoopback(node.host))) return;
  findings.warning(['journal', 'url'], 'the journal is reached over a network without TLS', 'use rediss:// if you can');
};

const checkOauth = ({ oauth }: Drafts, findings: Findings): void => {
  if (oauth?.issuer === undefined || !isPlaintextBeyondLoopback(oauth.issuer)) return;
  const what = 'clients would send assertions and tokens to this address without TLS';
  findings.warning(['oauth', 'issuer'], what, 'write the https:// address that clients use');
};

const checkClients = ({ clients = [] }: Drafts, findings: Findings): void => {
  for (const [index, client] of clients.entries()) {
    const at = ['clients', index, 'allowFrom'];
    if (client.bearer === undefined || client.allowFrom !== undefined || findings.isFaulty(at)) continue;
    findings.warning(
      at,
      'is missing: the token of this client is good from any address',
      'name the networks it calls from',
    );
  }
};

const checkIssuers = ({ issuers = [] }: Drafts, findings: Findings): void => {
  for (const [index, issuer] of issuers.entries()) {
    const path = ['issuers', index];
    const { baseUrl } = issuer;
    if (baseUrl !== undefined && issuer.dangerouslyAllowPlaintext === false && isPlaintextBeyondLoopback(baseUrl)) {
      const what = 'card data would go to this issuer without TLS';
      findings.problem([...path, 'baseUrl'], what, `write https://, or ${OUT_LOUD} in this issuer's entry`);
    }
    const { tokenEndpoint } = issuer.credentials?.oauth ?? {};
    const isQuiet = issuer.dangerouslyAllowPlaintext === false;
    if (tokenEndpoint !== undefined && isQuiet && isPlaintextBeyondLoopback(tokenEndpoint)) {
      const what = 'assertions and access tokens would travel without TLS';
      const at = [...path, 'credentials', 'oauth', 'tokenEndpoint'];
      findings.problem(at, what, `write https://, or ${OUT_LOUD} in this issuer's entry`);
    }
    if (issuer.credentials === undefined && !findings.isFaulty([...path, 'credentials'])) {
      const what = 'is missing: the gateway does not say who it is to this issuer';
      findings.warning([...path, 'credentials'], what, `write credentials: {bearer: "\${file:path}"}`);
    }
  }
};
