/**
 * The rows of the modules Token, Authentication and Parameter: network tokens on devices, one-time passwords and
 * out-of-band authentication, and the issuer's lists of codes.
 */
import { CARD, COMMAND, INQUIRY, inModule, may, must, needs, records } from './parts.ts';
import type { Part } from './row.ts';

/** The payment that the cardholder is asked about. */
const ASKED_ABOUT: readonly Part[] = [...may('merchantName', 'tranAmount'), needs('tranCurrency', 'tranAmount')];

const TOKEN = inModule('Token', [
  {
    no: 38,
    name: 'TokenInquiry',
    path: '/tokenmgr/tokenInquiry',
    meaning: 'Lists the network tokens of a card',
    ...INQUIRY,
    source: 'vendor',
    request: CARD,
    response: records(
      must('appUserId', 'deviceId', 'cardMaskNumber', 'cardToken', 'cardTokenState', 'cardTokenExpiryDate'),
      may('hceCardInfo'),
    ),
  },
  {
    no: 39,
    name: 'TokenRequest',
    path: '/tokenmgr/tokenRequest',
    meaning: 'Asks for a network token of a card',
    ...COMMAND,
    source: 'partial',
    request: [...must('cardToken', 'expiryDate', 'CVV2', 'useCaseIndicator', 'cvm'), ...may('deviceId', 'appUserId')],
    response: may('tokenId', 'cardTokenState', 'cardTokenExpiryDate', 'hceCardInfo'),
  },
  {
    no: 40,
    name: 'TokenStateUpdate',
    path: '/tokenmgr/tokenStateUpdate',
    meaning: 'Suspends, resumes or deletes a network token',
    ...COMMAND,
    request: [...must('tokenId', 'cardTokenState'), ...may('reasonCode')],
    response: may('tokenId', 'cardTokenState'),
  },
  {
    no: 41,
    name: 'TokenStateNotification',
    path: '/tokenmgr/tokenStateNotification',
    meaning: 'Tells the issuer that the state of a network token has changed',
    ...COMMAND,
    request: [...must('tokenId', 'cardTokenState'), ...may('reasonCode', 'appUserId', 'deviceId')],
    response: [],
  },
  {
    no: 42,
    name: 'TokenMetadataUpdate',
    path: '/tokenmgr/tokenMetadataUpdate',
    meaning: 'Tells the network token which card and expiry now stand behind it',
    ...COMMAND,
    request: [...must('tokenId'), ...may('cardToken'), ...must('expiryDate'), ...may('cardTokenExpiryDate')],
    response: may('tokenId', 'cardTokenExpiryDate'),
  },
  {
    no: 43,
    name: 'ReplenishTokenLUK',
    path: '/tokenmgr/replenishTokenLUK',
    meaning: 'Gives a device new limited-use keys for its network token',
    ...COMMAND,
    askAgain: true,
    request: [...must('tokenId'), ...may('deviceId')],
    response: [...must('tokenId', 'lukInfo'), ...may('validTime')],
  },
]);

const AUTHENTICATION = inModule('Authentication', [
  {
    no: 44,
    name: 'SendOTP',
    path: '/authmgr/sendOTP',
    meaning: 'Sends a one-time password to the cardholder',
    ...COMMAND,
    request: [...must('cardToken', 'otpType'), ...may('acsTransId'), ...ASKED_ABOUT],
    response: [...must('otpRefNo'), ...may('validTime')],
  },
  {
    no: 45,
    name: 'VerifyOTP',
    path: '/authmgr/verifyOTP',
    meaning: 'Verifies a one-time password; a wrong one counts as a try',
    ...COMMAND,
    request: must('cardToken', 'otpRefNo', 'otp'),
    response: [],
  },
  {
    no: 46,
    name: 'StartOOBAuthen',
    path: '/authmgr/startOOBAuthen',
    meaning: 'Asks the cardholder to confirm in the application, out of band',
    ...COMMAND,
    request: [...must('cardToken', 'acsTransId'), ...ASKED_ABOUT, ...may('validTime')],
    response: must('oobRefNo'),
  },
  {
    no: 47,
    name: 'OOBResultInquiry',
    path: '/authmgr/oobResultInquiry',
    meaning: 'Tells what the cardholder answered out of band',
    ...INQUIRY,
    request: must('oobRefNo'),
    response: must('oobResult'),
  },
]);

const PARAMETER = inModule('Parameter', [
  {
    no: 48,
    name: 'DropDownListInquiry',
    path: '/paramgr/inquiryDropDownList',
    meaning: "Lists the issuer's codes of one kind, with their texts",
    ...INQUIRY,
    source: 'vendor',
    request: must('dropDownName'),
    response: records(must('dropDownCode', 'dropDownValue')),
  },
]);

export const TOKEN_APIS = [...TOKEN, ...AUTHENTICATION, ...PARAMETER];
