/**
 * Every field of the contract by its name on the wire. Generated from src/catalogue by `npm run client-types`: change
 * the catalogue, not this file.
 */
// biome-ignore-all format: lines are filled, so that a message can be read at a glance
export interface Fields {
  /** The institution that owns the account. Text, up to 15. */
  readonly participantId: string;
  /** Transaction branch. Text, up to 9. */
  readonly tranBranch: string;
  /** Transaction channel. 06: CMS, 07: WEB, 08: APP, 09: ACS, 10: UMPS. */
  readonly tranChnl: '06' | '07' | '08' | '09' | '10';
  /** Transaction code. Text, up to 30. */
  readonly tranCode: string;
  /** Date of the transaction at the sender. YYYYMMDD. */
  readonly tranDate: string;
  /** Time of the transaction at the sender. HHMMSS. */
  readonly tranTime: string;
  /**
   * The sender's unique id of this transaction; the idempotency key within participantId. Letters, digits, - and _,
   * up to 32.
   */
  readonly tranId: string;
  /** Teller number. Text, up to 32. */
  readonly tellerNo: string;
  /** Terminal number. Text, up to 15. */
  readonly terminalNo: string;
  /**
   * Outcome of the call. 00: approved, 01: invalid participant, 02: invalid card number, 03: invalid card status, 04:
   * invalid card token, 05: do not honour, 09: in progress; repeat the same tranId to learn the outcome, 10:
   * restricted access, 12: invalid transaction, 13: invalid amount, 24: PIN block format error, 25: original
   * transaction not found, 30: format error, 51: insufficient funds, 54: expired card, 55: PIN verification failed,
   * 57: transaction not permitted to cardholder, 61: exceeds amount limit, 65: exceeds frequency limit, 68: no usable
   * answer from the issuer in time; being undone, 75: PIN tries exceeded, 82: CVV2 verification failed, 91: issuer
   * unavailable; nothing was sent, 94: tranId used before with other content, 96: system malfunction, 99: unexpected
   * error.
   */
  readonly responseCode: '00' | '01' | '02' | '03' | '04' | '05' | '09' | '10' | '12' | '13' | '24' | '25' | '30' |
    '51' | '54' | '55' | '57' | '61' | '65' | '68' | '75' | '82' | '91' | '94' | '96' | '99';
  /** Text of the response code. Text, up to 120. */
  readonly responseDesc: string;
  /** Records in this page. Digits, up to 6. */
  readonly recordNum: string;
  /** Handle of the card. Letters, digits, - and _, up to 27. */
  readonly cardToken: string;
  /** Card number (PAN). Digits, 12 to 19. */
  readonly cardNumber: string;
  /** Masked card number. Text, up to 19. */
  readonly cardMaskNumber: string;
  /** Number of the card application. Text, up to 32. */
  readonly cardApplyNo: string;
  /** Date on which the card was opened. YYYYMMDD. */
  readonly openDate: string;
  /** Whether the transaction has been reversed. N: no, Y: yes. */
  readonly reversed: 'N' | 'Y';
  /** Code of a drop-down value. Text, up to 20. */
  readonly dropDownCode: string;
  /** Text of a drop-down value. Text, up to 50. */
  readonly dropDownValue: string;
  /** Virtual or physical card. P: physical, V: virtual. */
  readonly cardFlag: 'P' | 'V';
  /** Card product. Text, up to 10. */
  readonly cardProdCode: string;
  /** Kind of card product. B: business, C: credit, D: debit, G: gift, P: prepaid, R: corporate. */
  readonly cardProdType: 'B' | 'C' | 'D' | 'G' | 'P' | 'R';
  /** Picture on the card. Text, up to 16. */
  readonly cardPicCode: string;
  /** Name embossed on the card. Text, up to 26. */
  readonly cardEmbossName: string;
  /** The issuer's card status, passed through. Text, up to 1. */
  readonly cardStatus: string;
  /** Whether the card is frozen. B: frozen, N: normal. */
  readonly blockStatus: 'B' | 'N';
  /** What to do with the card. B: block, C: unblock, D: freeze, E: unfreeze, G: PIN lock, H: PIN unlock. */
  readonly cardOptFlag: 'B' | 'C' | 'D' | 'E' | 'G' | 'H';
  /** Expiry date of the card. YYMM. */
  readonly expiryDate: string;
  /** Card verification value. Digits, 3 to 4. Nobody stores it. */
  readonly CVV2: string;
  /** Dynamic card verification value. Digits, 3 to 4. Nobody stores it. */
  readonly DCVV: string;
  /** How the card is replaced. N: named number, P: virtual to physical, R: random number, S: same number. */
  readonly replaceType: 'N' | 'P' | 'R' | 'S';
  /** Number of the new card. Digits, 12 to 19. */
  readonly newCardNumber: string;
  /** Encrypted PIN block. Hexadecimal, up to 512. Nobody stores it. */
  readonly pinBlock: string;
  /** Encrypted PIN block of the new PIN. Hexadecimal, up to 512. Nobody stores it. */
  readonly newPinBlock: string;
  /** Register or unregister. R: register, U: unregister. */
  readonly registFlag: 'R' | 'U';
  /** Which list. B: blacklist, W: whitelist. */
  readonly listFlag: 'B' | 'W';
  /** Which limit. Text, up to 3. */
  readonly cardLimitType: string;
  /** Limit by amount. Such as 12.50. */
  readonly limitAmount: string;
  /** Limit by count. Digits, up to 6. */
  readonly limitCount: string;
  /** Domestic use allowed. N: no, Y: yes. */
  readonly domesticFlag: 'N' | 'Y';
  /** Use abroad allowed. N: no, Y: yes. */
  readonly overseaFlag: 'N' | 'Y';
  /** Use on the Internet allowed. N: no, Y: yes. */
  readonly ecommerceFlag: 'N' | 'Y';
  /** Use at the point of sale allowed. N: no, Y: yes. */
  readonly posFlag: 'N' | 'Y';
  /** Customer. Text, up to 32. */
  readonly customerId: string;
  /** Kind of identity document. */
  readonly custIdType: 'D' | 'I' | 'O' | 'P' | 'S' | 'T' | 'U' | 'V' | 'Z';
  /** Number of the identity document. Text, up to 32. */
  readonly custIdNo: string;
  /** Kind of the second identity document. Text, up to 1. */
  readonly custIssIdType: string;
  /** Number of the second identity document. Text, up to 32. */
  readonly custIssIdNo: string;
  /** Name. Text, up to 60. */
  readonly custName: string;
  /** Mobile number. Text, up to 20. */
  readonly custMobile: string;
  /** E-mail address. Up to 80. */
  readonly custEmail: string;
  /** Address. Text, up to 200. */
  readonly custAddress: string;
  /** Where the card is sent. Text, up to 200. */
  readonly deliveryAddress: string;
  /** Post code of the delivery. Text, up to 10. */
  readonly deliveryPostCode: string;
  /** Country of the delivery, ISO 3166 alpha-3. Letters, up to 3. */
  readonly deliveryCountry: string;
  /** Account number. Text, up to 32. */
  readonly accountNo: string;
  /** Kind of account. Text, up to 2. */
  readonly accountType: string;
  /** The issuer's account status, passed through. Text, up to 1. */
  readonly accountStatus: string;
  /** What to do with the account. B: block, C: unblock, X: close. */
  readonly acctOptFlag: 'B' | 'C' | 'X';
  /** Link or unlink. L: link, U: unlink. */
  readonly linkFlag: 'L' | 'U';
  /** Reason. Text, up to 3. */
  readonly reasonCode: string;
  /** Note. Text, up to 120. */
  readonly memo: string;
  /** Transaction amount, more than zero. Such as 12.50. */
  readonly tranAmount: string;
  /** Currency of the transaction, ISO 4217 numeric. Three digits. */
  readonly tranCurrency: string;
  /** Amount in the cardholder's billing currency. Such as 12.50. */
  readonly billAmount: string;
  /** Billing currency, ISO 4217 numeric. Three digits. */
  readonly billCurrency: string;
  /** Fee, in the currency of the transaction. Such as 12.50. */
  readonly feeAmount: string;
  /** What the issuer approved where it approved less. Such as 12.50. */
  readonly approvedAmount: string;
  /** Available balance. Such as 12.50. */
  readonly availableBalance: string;
  /** Ledger balance. Such as 12.50. */
  readonly ledgerBalance: string;
  /** What is still held after the call. Such as 12.50. */
  readonly blockedAmount: string;
  /** Currency of the balances, ISO 4217 numeric. Three digits. */
  readonly balanceCurrency: string;
  /** Authorization code. Text, up to 6. */
  readonly authCode: string;
  /**
   * TranId of the transaction that this one completes, reverses, refunds or releases. Letters, digits, - and _, up to
   * 32.
   */
  readonly originalTranId: string;
  /** Whether less may be approved. N: no, Y: yes. */
  readonly partialAllowed: 'N' | 'Y';
  /** Refund or void. R: refund, in part or in full, V: void, the whole original before it is settled. Absent: R. */
  readonly refundType: 'R' | 'V';
  /** Handle of the receiving card. Letters, digits, - and _, up to 27. */
  readonly toCardToken: string;
  /** Number of the receiving card. Digits, 12 to 19. */
  readonly toCardNumber: string;
  /** Merchant. Text, up to 15. */
  readonly merchantId: string;
  /** Name of the merchant. Text, up to 40. */
  readonly merchantName: string;
  /** Merchant category, ISO 18245. Digits, up to 4. */
  readonly merchantCategoryCode: string;
  /** Country of the merchant, ISO 3166 alpha-3. Letters, up to 3. */
  readonly merchantCountry: string;
  /** Acquirer. Text, up to 11. */
  readonly acquirerCode: string;
  /** Forwarding institution. Text, up to 11. */
  readonly forwarderCode: string;
  /** Retrieval reference number. Text, up to 12. */
  readonly retrievalRefNo: string;
  /** System trace audit number. Digits, up to 6. */
  readonly systemTraceNo: string;
  /** The card scheme's id of the transaction. Text, up to 66. */
  readonly schemeTranId: string;
  /** How the card was read. Digits, up to 3. */
  readonly posEntryMode: string;
  /** POS, ECOM, ATM .... Text, up to 10. */
  readonly msgChannel: string;
  /** Name of the API that the history row came from. Text, up to 30. */
  readonly tranType: string;
  /** First day of the history. YYYYMMDD. */
  readonly startDate: string;
  /** Last day of the history. YYYYMMDD. */
  readonly endDate: string;
  /** Page, counted from 1. Digits, up to 4. Absent: 1. */
  readonly pageNum: string;
  /** Records in a page. Digits, up to 3, at most 100. Absent: 20. */
  readonly pageSize: string;
  /** How the one-time password is sent. E: e-mail, S: SMS. */
  readonly otpType: 'E' | 'S';
  /** One-time password. Digits, 4 to 8. Nobody stores it. */
  readonly otp: string;
  /** Reference of the one-time password. Text, up to 36. */
  readonly otpRefNo: string;
  /** How long it is valid, in milliseconds. Digits, up to 10. */
  readonly validTime: string;
  /** Transaction id of the access control server (3-D Secure). Text, up to 36. */
  readonly acsTransId: string;
  /** Reference of the out-of-band authentication. Text, up to 36. */
  readonly oobRefNo: string;
  /** Result of the out-of-band authentication. E: expired, N: refused, P: pending, Y: authenticated. */
  readonly oobResult: 'E' | 'N' | 'P' | 'Y';
  /** Id of the network token. Text, up to 64. */
  readonly tokenId: string;
  /** State of the network token. */
  readonly cardTokenState: 'ACTIVE' | 'DELETED' | 'SUSPENDED';
  /** When the network token expires. YYYYMMDDHHMMSS. */
  readonly cardTokenExpiryDate: string;
  /** Device. Text, up to 64. */
  readonly deviceId: string;
  /** User of the application. Text, up to 32. */
  readonly appUserId: string;
  /** Uses of the token. */
  readonly useCaseIndicator: readonly ('COF' | 'HCE' | 'QRC' | 'SE')[];
  /** How the cardholder was verified. */
  readonly cvm: readonly ('cvn2' | 'expiryDate' | 'idNo' | 'idType' | 'mobileNo' | 'name' | 'otp')[];
  /** Card data for host card emulation. Text, up to 4096. Nobody stores it. */
  readonly hceCardInfo: string;
  /** Limited-use key. Text, up to 4096. Nobody stores it. */
  readonly lukInfo: string;
  /** Which drop-down list. */
  readonly dropDownName: 'CardLimitType' | 'CardProd' | 'CardStatus' | 'CloseReasonCode' | 'ReplReasonCode';
}
