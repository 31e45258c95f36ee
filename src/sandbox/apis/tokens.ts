/**
 * Network tokens of a card on its holder's devices: asked for, suspended and resumed, ended, moved on to a replaced card,
 * and given the limited-use keys that they pay with. A token belongs to the card's line and ends with its last card.
 */
import { maskPan } from '../../domain/card.ts';
import type { WireFields } from '../../domain/message.ts';
import { endOf, momentOf } from '../calendar.ts';
import type { Card, NetworkToken } from '../store/records.ts';
import { Decline, type Fields, knownCard, mustBeUsable, type Turn, usableCard } from '../turn.ts';
import { records } from './inquiries.ts';

/** How long a limited-use key is good. */
const LUK_VALID_MS = 24 * 60 * 60 * 1_000;
/** As many records as one page of a reply may have. */
const LISTED_MAX = 100;
/** Past it 65, so that one card does not fill the sandbox; nobody has so many devices. */
const LIVE_MAX = 50;

/** Where a token may go from each state. The same state again is nothing to do; what is deleted stays so. */
const MOVES: ReadonlyMap<string, readonly string[]> = new Map([
  ['ACTIVE', ['ACTIVE', 'SUSPENDED', 'DELETED']],
  ['SUSPENDED', ['ACTIVE', 'SUSPENDED', 'DELETED']],
  ['DELETED', ['DELETED']],
]);

/** The token that the call names: 04 where the participant has none of this id. */
function knownToken(turn: Turn): NetworkToken {
  const { tokenId = '' } = turn.fields;
  const token = turn.store.records.tokens.find({ tokenId, participantId: turn.participantId });
  if (!token) throw new Decline('04');
  return token;
}

const NEWEST = { order: 'rowid DESC', limit: LISTED_MAX };

/** The tokens of a card that are not deleted. */
const liveTokensOf = (turn: Turn, { root }: Card): readonly NetworkToken[] =>
  ['ACTIVE', 'SUSPENDED'].flatMap(state => turn.store.records.tokens.list({ root, state }, NEWEST));

/** The newest first, deleted ones too. What a device needs to pay is told once, when the token is made. */
export function tokenInquiry(turn: Turn): WireFields {
  const card = knownCard(turn);
  return records(
    turn.store.records.tokens.list({ root: card.root }, NEWEST).map(token => ({
      appUserId: token.appUserId,
      deviceId: token.deviceId,
      cardMaskNumber: maskPan(card.number.reveal()),
      cardToken: token.cardToken,
      cardTokenState: token.state,
      cardTokenExpiryDate: token.expiry,
    })),
  );
}

/** The holder has the card in hand (54, 82), and it may pay. Without a device or user the token is one for cards on file. */
export function tokenRequest(turn: Turn): WireFields {
  const card = usableCard(turn);
  if (liveTokensOf(turn, card).length >= LIVE_MAX) throw new Decline('65');
  const { deviceId = 'none', appUserId = card.customerId } = turn.fields;
  const token: NetworkToken = {
    tokenId: `NT-${turn.newId()}`,
    participantId: turn.participantId,
    root: card.root,
    cardToken: card.token,
    cardExpiry: card.expiry,
    state: 'ACTIVE',
    expiry: lastMomentOf(card),
    deviceId,
    appUserId,
    lukCount: 0,
    lukUntilMs: 0,
  };
  turn.store.records.tokens.save(token);
  return { tokenId: token.tokenId, cardTokenState: token.state, cardTokenExpiryDate: token.expiry };
}

/** A token is good as long as its card. */
const lastMomentOf = (card: Card): string => momentOf(endOf(card.expiry) - 1);

/** Only a token for host card emulation has something to give to the device. */
export function tokenSecrets(turn: Turn, { tokenId }: WireFields): Fields {
  const uses = turn.whole.useCaseIndicator;
  const isHce = Array.isArray(uses) && uses.includes('HCE');
  return isHce && typeof tokenId === 'string' ? { hceCardInfo: turn.key.hceCardInfo(tokenId) } : {};
}

/** For TokenStateUpdate, which asks for it, and TokenStateNotification, which tells it. 12: not from its state. */
export function updateTokenState(turn: Turn): WireFields {
  const token = knownToken(turn);
  const { cardTokenState = '', deviceId = token.deviceId, appUserId = token.appUserId } = turn.fields;
  if (!MOVES.get(token.state)?.includes(cardTokenState)) throw new Decline('12');
  turn.store.records.tokens.save({ ...token, state: cardTokenState, deviceId, appUserId });
  return { tokenId: token.tokenId, cardTokenState };
}

/**
 * The token follows its card to a new expiry date, or to the card that replaced it: 04 where the named card is of another
 * line, 54 where the expiry date is not that card's or the token's own would be past, 12 for a deleted token.
 */
export function tokenMetadataUpdate(turn: Turn): WireFields {
  const token = knownToken(turn);
  if (token.state === 'DELETED') throw new Decline('12');
  const { expiryDate = '', cardTokenExpiryDate } = turn.fields;
  const card = turn.fields.cardToken === undefined ? turn.store.cardByToken(token.cardToken) : knownCard(turn);
  if (card?.root !== token.root) throw new Decline('04');
  const expiry = cardTokenExpiryDate ?? lastMomentOf(card);
  if (expiryDate !== card.expiry || expiry <= momentOf(turn.nowMs)) throw new Decline('54');
  turn.store.records.tokens.save({ ...token, cardToken: card.token, cardExpiry: card.expiry, expiry });
  return { tokenId: token.tokenId, cardTokenExpiryDate: expiry };
}

/**
 * Makes the next limited-use key, which ends the one before. 12: the token is not active; 10: another device than its own;
 * 03, 54, 05: its card may not pay. Asked again under its `tranId` it tells the one that is good now, and makes one only
 * where none is.
 */
export function replenishTokenLuk(turn: Turn): WireFields {
  const token = knownToken(turn);
  const { deviceId = token.deviceId } = turn.fields;
  if (token.state !== 'ACTIVE') throw new Decline('12');
  if (deviceId !== token.deviceId) throw new Decline('10');
  const card = turn.store.cardByToken(token.cardToken);
  if (!card) throw new Decline('04');
  mustBeUsable(card, turn.nowMs);
  if (token.expiry <= momentOf(turn.nowMs)) throw new Decline('54');
  const isGood = turn.repeated && turn.nowMs < token.lukUntilMs;
  if (!isGood) {
    const next = { ...token, lukCount: token.lukCount + 1, lukUntilMs: turn.nowMs + LUK_VALID_MS };
    turn.store.records.tokens.save(next);
  }
  return { tokenId: token.tokenId };
}

export function lukSecrets(turn: Turn): Fields {
  const token = knownToken(turn);
  return { lukInfo: turn.key.luk(token), validTime: String(token.lukUntilMs - turn.nowMs) };
}

/** Ends the tokens of a card that is closed. */
export function endTokens(turn: Turn, card: Card): void {
  for (const token of liveTokensOf(turn, card)) turn.store.records.tokens.save({ ...token, state: 'DELETED' });
}
