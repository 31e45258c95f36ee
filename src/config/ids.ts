/** Proves the ids that an operator writes, and gives them their brands. */
import type { ClientId, IssuerId, ParticipantId } from '../domain/ids.ts';
import type { TokenSha256 } from './config.ts';
import { Fault } from './fault.ts';

/** Ids name metrics and log lines, so they are short and plain. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ID_FAULT = new Fault('is not an id', 'write 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit');

export const parseClientId = (text: string): ClientId | Fault => (ID.test(text) ? (text as ClientId) : ID_FAULT);
export const parseIssuerId = (text: string): IssuerId | Fault => (ID.test(text) ? (text as IssuerId) : ID_FAULT);

/** As the contract has it: up to 15 characters, none that controls or hides text. */
const PARTICIPANT = /^[^\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]{1,15}$/u;

export const parseParticipant = (text: string): ParticipantId | Fault =>
  PARTICIPANT.test(text)
    ? (text as ParticipantId)
    : new Fault('is not a participant', 'write 1 to 15 characters, without control characters');

const SHA256_HEX = /^[0-9a-f]{64}$/;
/** Of no bytes at all: what a hash tool gives for an empty file or a variable that is not set. */
const SHA256_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Proves the hash of a token. The fault does not quote it: it may be the token itself. */
export const parseTokenSha256 = (text: string): TokenSha256 | Fault => {
  if (text === SHA256_OF_NOTHING) return new Fault('is the hash of an empty token', 'hash the token itself');
  if (SHA256_HEX.test(text)) return text as TokenSha256;
  return new Fault(
    'is not a SHA-256 hash',
    'write its 64 lower-case hexadecimal digits: printf %s "$TOKEN" | sha256sum | cut -c1-64',
  );
};
