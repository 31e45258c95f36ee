/**
 * The vault: what it seals nobody reads, nothing opens for another entry or kind or after a change, and what may not be
 * stored is not in it.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowOf } from '../../src/catalogue/apis.ts';
import { messageOf } from '../../src/catalogue/message.ts';
import type { Sealed } from '../../src/domain/entry.ts';
import type { ApiName, EntryKey, ParticipantId, TranId } from '../../src/domain/ids.ts';
import type { Header, WireFields } from '../../src/domain/message.ts';
import type { IssuerAnswer } from '../../src/domain/outcome.ts';
import { Secret } from '../../src/domain/secret.ts';
import { keyNameOf, partsOf } from '../../src/journal/sealed.ts';
import { createVault, VaultError, type VaultFault } from '../../src/journal/vault.ts';
import { systemRandom } from '../../src/runtime/random.ts';
import { CANARY_CARD_TOKEN, CANARY_CVV2, CANARY_PAN, CANARY_PIN_BLOCK, findCanaries } from '../support/canary.ts';
import { keyNamed } from './entries.ts';

const keyOfBytes = (byte: number) => new Secret<Uint8Array>(new Uint8Array(32).fill(byte));
const KEY = keyNamed('V1');
const vault = createVault([keyOfBytes(1)]);

const messageWith = (fields: WireFields, key: EntryKey = KEY) => {
  const header: Header = {
    participantId: key.participantId as ParticipantId,
    tranBranch: '0001',
    tranChnl: 'POS',
    tranDate: '20260101',
    tranTime: '101112',
    tranId: key.tranId as TranId,
  };
  return messageOf(rowOf('Purchase' as ApiName), header, fields);
};
const answerWith = (fields: WireFields): IssuerAnswer => ({ code: '00', desc: 'approved', fields: new Secret(fields) });
const CARD: WireFields = { cardNumber: CANARY_PAN, expiryDate: '3012', tranAmount: '10.50', tranCurrency: '840' };

const faultOf = (open: () => unknown): VaultFault | 'none' => {
  try {
    open();
    return 'none';
  } catch (error) {
    if (error instanceof VaultError) return error.fault;
    throw error;
  }
};

describe('sealing', () => {
  it('gives a message back as it was, without its header getting lost', () => {
    const message = messageWith(CARD);
    const opened = vault.openMessage(KEY, vault.sealMessage(KEY, message));
    expect(opened).toEqual({ api: 'Purchase', header: message.header, fields: CARD });
  });

  it('gives an answer back as it was, its fields in a Secret', () => {
    const answer = answerWith({ availableBalance: '989.50', recordList: [{ tranId: 'a', tranAmount: '1.00' }] });
    const opened = vault.openAnswer(KEY, vault.sealAnswer(KEY, answer));
    expect(opened.fields).toBeInstanceOf(Secret);
    expect({ ...opened, fields: opened.fields.reveal() }).toEqual({ ...answer, fields: answer.fields.reveal() });
  });

  it('I14 gives back any text, and shows none of it', () => {
    const values = fc.dictionary(
      fc.string({ minLength: 1, maxLength: 20 }).filter(name => name !== '__proto__'),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      { maxKeys: 20 },
    );
    fc.assert(
      fc.property(values, fields => {
        const opened = vault.openMessage(KEY, vault.sealMessage(KEY, messageWith(fields)));
        expect(opened.fields).toEqual({ ...fields });
      }),
    );
  });

  it('I14 hides card number, token and names in any encoding', () => {
    const sealed = vault.sealMessage(KEY, messageWith({ ...CARD, cardToken: CANARY_CARD_TOKEN }));
    expect(findCanaries(sealed)).toEqual([]);
    expect(findCanaries(Buffer.from(partsOf(sealed)?.body ?? '', 'base64url'))).toEqual([]);
    expect(findCanaries(JSON.stringify(CARD))).not.toEqual([]);
  });

  it('I14 never seals sensitive authentication data, at any depth, in messages or answers (PCI DSS 3.3.1)', () => {
    const sad = { CVV2: CANARY_CVV2, pinBlock: CANARY_PIN_BLOCK };
    const message = vault.openMessage(KEY, vault.sealMessage(KEY, messageWith({ ...CARD, ...sad })));
    const answer = vault.openAnswer(
      KEY,
      vault.sealAnswer(KEY, answerWith({ recordList: [{ ...CARD, ...sad }], ...sad })),
    );
    expect(message.fields).toEqual(CARD);
    expect(answer.fields.reveal()).toEqual({ recordList: [CARD] });
  });

  it('I14 never seals it where it stands in a record alone', () => {
    const message = messageWith({ ...CARD, recordList: [{ ...CARD, CVV2: CANARY_CVV2 }] });
    expect(vault.openMessage(KEY, vault.sealMessage(KEY, message)).fields).toEqual({ ...CARD, recordList: [CARD] });
  });

  it('seals the same text differently each time', () => {
    const texts = Array.from({ length: 50 }, () => vault.sealMessage(KEY, messageWith(CARD)));
    expect(new Set(texts).size).toBe(50);
  });
});

describe('opening', () => {
  const sealed = vault.sealMessage(KEY, messageWith(CARD));

  it('I16 fails for another entry, another participant and another kind', () => {
    expect(faultOf(() => vault.openMessage(KEY, sealed))).toBe('none');
    expect(faultOf(() => vault.openMessage(keyNamed('V2'), sealed))).toBe('notGenuine');
    expect(faultOf(() => vault.openMessage(keyNamed('V1', '200000'), sealed))).toBe('notGenuine');
    expect(faultOf(() => vault.openAnswer(KEY, sealed))).toBe('notGenuine');
  });

  it('I16 fails for another entry whose texts are sealed with the same derived key', () => {
    // Of so many about ten have the same key.
    for (let i = 0; i < 40_000; i += 1) {
      expect(faultOf(() => vault.openMessage(keyNamed(`W${i}`), sealed))).toBe('notGenuine');
    }
  });

  it('fails for every changed character of the ciphertext', () => {
    const { keyName, body } = partsOf(sealed) ?? { keyName: '', body: '' };
    for (let i = 0; i < body.length - 1; i += 1) {
      const changed = body.slice(0, i) + (body[i] === 'A' ? 'B' : 'A') + body.slice(i + 1);
      expect(faultOf(() => vault.openMessage(KEY, `v2.${keyName}.${changed}` as Sealed))).toBe('notGenuine');
    }
  });

  it('fails for texts that are cut, empty or of another form', () => {
    const { keyName, body } = partsOf(sealed) ?? { keyName: '', body: '' };
    for (let end = 1; end < body.length; end += 7) {
      expect(faultOf(() => vault.openMessage(KEY, `v2.${keyName}.${body.slice(0, end)}` as Sealed))).toBe('notGenuine');
    }
    for (const text of ['', 'v2', `v2.${keyName}`, `v2.${keyName}.`, `v3.${keyName}.${body}`, `${sealed}.x`, '..']) {
      expect(faultOf(() => vault.openMessage(KEY, text as Sealed))).toBe('malformed');
    }
  });

  it('I14 says which entry and key it was about, and nothing of the content', () => {
    const other = createVault([keyOfBytes(9)]);
    expect(() => other.openMessage(KEY, sealed)).toThrow(
      `the sealed message of entry V1/100000 was sealed with a key that is not in the seal key file (key ${vault.keyOf(sealed)})`,
    );
  });
});

describe('keys', () => {
  it('F77 rotation in two steps: add everywhere, then promote; what either sealed opens throughout', () => {
    const [old, added] = [keyOfBytes(1), keyOfBytes(2)];
    const before = createVault([old]);
    const both = createVault([old, added]);
    const promoted = createVault([added, old]);
    const after = createVault([added]);
    const byOld = before.sealMessage(KEY, messageWith(CARD));
    const byNew = promoted.sealMessage(KEY, messageWith(CARD));
    expect(both.keyOf(both.sealMessage(KEY, messageWith(CARD)))).toBe(before.keyOf(byOld));
    for (const each of [both, promoted]) {
      for (const text of [byOld, byNew]) expect(each.openMessage(KEY, text).fields).toEqual(CARD);
    }
    expect(faultOf(() => after.openMessage(KEY, byOld))).toBe('unknownKey');
    expect(faultOf(() => before.openMessage(KEY, byNew))).toBe('unknownKey');
  });

  it('are named by a short hash that is the same everywhere, and tells keys apart', () => {
    const names = [1, 2, 3].map(byte => createVault([keyOfBytes(byte)]).keyNames());
    expect(new Set(names.flatMap(each => [...each])).size).toBe(3);
    expect(createVault([keyOfBytes(1), keyOfBytes(2)]).keyNames()).toEqual(
      new Set([...(names[0] ?? []), ...(names[1] ?? [])]),
    );
    const [name = ''] = [...(names[0] ?? [])];
    expect(name).toMatch(/^[A-Za-z0-9_-]{11}$/);
    expect(keyNameOf(vault.sealMessage(KEY, messageWith(CARD)))).toBe(name);
    expect(Buffer.from(new Uint8Array(32).fill(1)).toString('base64url')).not.toContain(name);
  });

  it('are derived by HKDF-SHA-256 (RFC 5869), and bind each text to its entry and kind', () => {
    const { keyName, body } = partsOf(vault.sealMessage(KEY, messageWith(CARD))) ?? { keyName: '', body: '' };
    const bytes = Buffer.from(body, 'base64url');
    // The number is what the entry's name is spread to; where that changes, nothing that was sealed before opens.
    const key = new Uint8Array(hkdfSync('sha256', keyOfBytes(1).reveal(), '', 'v2|1636', 32));
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from('v2|message|V1/100000')).setAuthTag(bytes.subarray(-16));
    const text = decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8');
    expect(JSON.parse(text)).toMatchObject({ api: 'Purchase', fields: CARD });
    expect(keyName).toBe(vault.keyOf(vault.sealMessage(KEY, messageWith(CARD))));
  });

  it('F73 open what was sealed in the old version, for its entry and kind alone', () => {
    const key = new Uint8Array(hkdfSync('sha256', keyOfBytes(1).reveal(), '', 'v1|message|V1/100000', 32));
    const iv = Buffer.alloc(12, 7);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from('v1|message'));
    const content = { api: 'Purchase', header: messageWith(CARD).header, fields: CARD };
    const text = Buffer.concat([cipher.update(JSON.stringify(content)), cipher.final()]);
    const body = Buffer.concat([iv, text, cipher.getAuthTag()]).toString('base64url');
    const old = `v1.${keyNameOf(vault.sealMessage(KEY, messageWith(CARD)))}.${body}` as Sealed;
    expect(vault.openMessage(KEY, old)).toEqual(content);
    expect(faultOf(() => vault.openMessage(keyNamed('V2'), old))).toBe('notGenuine');
    expect(faultOf(() => vault.openAnswer(KEY, old))).toBe('notGenuine');
    expect(faultOf(() => vault.openMessage(KEY, old.replace('v1.', 'v2.') as Sealed))).toBe('notGenuine');
  });

  it('are spread evenly over the entries', () => {
    const vectors = { ...systemRandom, id: () => 'AAAAAAAAAAAAAAAAAAAAAA' };
    const many = createVault([keyOfBytes(1)], vectors);
    // With one vector, what is sealed under one key begins alike.
    const begins = (tranId: string) =>
      partsOf(many.sealMessage(keyNamed(tranId), messageWith(CARD)))?.body.slice(0, 40);
    const counts = new Map<string | undefined, number>();
    for (let i = 0; i < 12_288; i += 1) counts.set(begins(`T${i}`), (counts.get(begins(`T${i}`)) ?? 0) + 1);
    expect(counts.size).toBeGreaterThan(3700);
    expect(Math.max(...counts.values())).toBeLessThan(20);
  });

  it('seal a text of any length', () => {
    for (const length of [1, 12_000, 20_000]) {
      const message = messageWith({ ...CARD, memo: 'x'.repeat(length) });
      expect(vault.openMessage(KEY, vault.sealMessage(KEY, message)).fields).toEqual(message.fields.reveal());
    }
  });

  it('are refused where there is none, one of another length, or the same one twice', () => {
    expect(() => createVault([])).toThrow('at least one seal key');
    for (const length of [0, 16, 31, 33, 64]) {
      expect(() => createVault([new Secret(new Uint8Array(length))])).toThrow(`${length} bytes instead of 32`);
    }
    expect(() => createVault([keyOfBytes(1), keyOfBytes(1)])).toThrow('twice');
  });

  it('take their chance from the port, so that runs replay', () => {
    const fixed = { ...systemRandom, id: () => 'AAAAAAAAAAAAAAAAAAAAAA' };
    const texts = [0, 1].map(() => createVault([keyOfBytes(1)], fixed).sealMessage(KEY, messageWith(CARD)));
    expect(texts[0]).toBe(texts[1]);
  });
});
