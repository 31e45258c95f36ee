/**
 * The rows of the modules Application, Customer and Account: from the application for a card to the accounts that cards
 * are linked to.
 */
import { CARD, COMMAND, INQUIRY, inModule, may, must, mustWhen, records } from './parts.ts';

const APPLICATION = inModule('Application', [
  {
    no: 1,
    name: 'CardApplication',
    path: '/cardmgr/cardApply',
    meaning: 'Issues a virtual or physical card to a customer',
    prepaid: 'M',
    debit: 'M',
    ...COMMAND,
    source: 'partial',
    request: [
      ...may('cardNumber'),
      ...must('cardFlag', 'cardProdCode'),
      ...may('cardPicCode'),
      mustWhen('cardEmbossName', 'cardFlag', 'P'),
      ...must('customerId', 'custIdType', 'custIdNo'),
      ...may('custIssIdType', 'custIssIdNo', 'custName', 'custMobile', 'custEmail'),
      mustWhen('deliveryAddress', 'cardFlag', 'P'),
      ...may('deliveryPostCode', 'deliveryCountry'),
    ],
    response: may('cardApplyNo', 'customerId', 'cardNumber', 'cardToken', 'expiryDate', 'CVV2'),
  },
]);

const CUSTOMER = inModule('Customer', [
  {
    no: 2,
    name: 'CustomerCardInfoInquiry',
    path: '/custmgr/inquiryCardListByCIF',
    meaning: 'Lists the cards of a customer',
    prepaid: 'M',
    debit: 'M',
    ...INQUIRY,
    source: 'partial',
    request: must('customerId'),
    response: records(
      may('cardNumber'),
      must('cardToken', 'expiryDate', 'cardFlag', 'cardProdCode', 'cardProdType'),
      may('cardPicCode'),
      must('openDate', 'cardStatus', 'blockStatus'),
    ),
  },
  {
    no: 3,
    name: 'CustomerAccountInfoInquiry',
    path: '/custmgr/inquiryAcctListByCIF',
    meaning: 'Lists the accounts of a customer with their balances',
    prepaid: 'O',
    debit: 'NA',
    ...INQUIRY,
    request: must('customerId'),
    response: records(
      must('accountNo'),
      may('accountType'),
      must('accountStatus'),
      may('balanceCurrency', 'availableBalance', 'ledgerBalance'),
    ),
  },
  {
    no: 4,
    name: 'CustomerInfoUpdate',
    path: '/custmgr/updateCustInfo',
    meaning: 'Changes the name, the contact data or the addresses of a customer',
    prepaid: 'O',
    debit: 'O',
    ...COMMAND,
    request: [
      ...must('customerId'),
      ...may('custName', 'custMobile', 'custEmail', 'custAddress'),
      ...may('deliveryAddress', 'deliveryPostCode', 'deliveryCountry'),
      { atLeastOne: true },
    ],
    response: must('customerId'),
  },
]);

const ACCOUNT = inModule('Account', [
  {
    no: 5,
    name: 'AccountLinkage',
    path: '/acctmgr/acctLinkage',
    meaning: 'Links an account to a card, or unlinks it',
    prepaid: 'O',
    debit: 'O',
    ...COMMAND,
    request: [...CARD, ...must('accountNo'), ...may('accountType'), ...must('linkFlag')],
    response: may('cardToken', 'accountNo'),
  },
  {
    no: 6,
    name: 'AccountStatusUpdate',
    path: '/acctmgr/acctStatusUpdate',
    meaning: 'Blocks, unblocks or closes an account',
    prepaid: 'O',
    debit: 'NA',
    ...COMMAND,
    request: [...must('accountNo', 'acctOptFlag'), ...may('reasonCode', 'memo')],
    response: may('accountNo', 'accountStatus'),
  },
]);

export const CUSTOMER_APIS = [...APPLICATION, ...CUSTOMER, ...ACCOUNT];
