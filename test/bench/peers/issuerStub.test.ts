/**
 * The bench's issuer: requests are found however they are cut, its reply is one that the gateway believes, and a share of
 * them is spread evenly.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalOf, isOfShare, takeRequest } from '../../../bench/peers/issuerStub.ts';
import { purchaseAround } from '../../../bench/peers/loads.ts';
import { apiByName } from '../../../src/catalogue/apis.ts';
import { parseMessage } from '../../../src/edge/parse.ts';
import { readIssuerReply } from '../../../src/issuer/reply.ts';

const asRequest = (body: string) =>
  `POST /card-api/tranmgr/purchase HTTP/1.1\r\nhost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

describe('takeRequest', () => {
  it('finds the same requests however the stream is cut', () => {
    const bodies = fc.array(fc.string({ unit: fc.constantFrom(...'{}":ab\r\n1') }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sent, cuts) => {
        let left = sent.map(asRequest).join('');
        let received = '';
        const found: string[] = [];
        for (let at = 0; left !== ''; at += 1) {
          const length = cuts[at % cuts.length] ?? 1;
          received += left.slice(0, length);
          left = left.slice(length);
          for (let taken = takeRequest(received); taken; taken = takeRequest(received)) {
            found.push(taken.body);
            received = taken.rest;
          }
        }
        expect(found).toEqual(sent);
      }),
    );
  });
});

describe('approvalOf', () => {
  it('is an approval to the gateway', () => {
    const row = apiByName('Purchase');
    if (!row) throw new Error('no Purchase');
    const { before, after } = purchaseAround('100000', new Date());
    const body = `${before}id-1${after}`;
    const context = { participants: new Set(['100000']), wallMs: Date.now(), retentionHours: 168 };
    const message = parseMessage(row, Buffer.from(body), context);
    const reply = Buffer.from(approvalOf(body));
    expect(readIssuerReply(200, reply, message, row)).toMatchObject({ kind: 'answered', answer: { code: '00' } });
    const other = Buffer.from(approvalOf(body.replace('id-1', 'id-2')));
    expect(readIssuerReply(200, other, message, row)).toEqual({ kind: 'unknown', reason: 'wrongEcho' });
  });
});

describe('isOfShare', () => {
  it.each([0, 1, 10, 33, 100])('%i of every hundred requests', percent => {
    const picked = Array.from({ length: 300 }, (_, index) => index + 1).filter(number => isOfShare(number, percent));
    expect(picked).toHaveLength(3 * percent);
  });

  it('spreads them evenly', () => {
    const picked = Array.from({ length: 30 }, (_, index) => index + 1).filter(number => isOfShare(number, 10));
    expect(picked).toEqual([10, 20, 30]);
  });
});
