/**
 * The currencies of ISO 4217 with their numeric codes and minor units (exponents), as data. Codes without a minor unit
 * (metals, SDR, testing) are left out: an amount in them cannot be written on this wire.
 */
import type { Brand } from './ids.ts';

/** An ISO 4217 numeric code of the table below, three digits, such as `840`. */
export type CurrencyCode = Brand<string, 'CurrencyCode'>;

/** The decimals of the currency's minor unit. */
export type Exponent = 0 | 2 | 3 | 4;

type Currency = { readonly alpha: string; readonly exponent: Exponent };

/** ISO 4217 list one of June 2024 and the amendments since: XCG took over 532 from ANG, BGN gave way to EUR. */
const BY_EXPONENT: Readonly<Record<Exponent, string>> = {
  0: `BIF:108 CLP:152 DJF:262 GNF:324 ISK:352 JPY:392 KMF:174 KRW:410 PYG:600 RWF:646 UGX:800 UYI:940 VND:704 VUV:548
    XAF:950 XOF:952 XPF:953`,
  2: `AED:784 AFN:971 ALL:008 AMD:051 AOA:973 ARS:032 AUD:036 AWG:533 AZN:944 BAM:977 BBD:052 BDT:050 BMD:060 BND:096
    BOB:068 BOV:984 BRL:986 BSD:044 BTN:064 BWP:072 BYN:933 BZD:084 CAD:124 CDF:976 CHE:947 CHF:756 CHW:948 CNY:156
    COP:170 COU:970 CRC:188 CUC:931 CUP:192 CVE:132 CZK:203 DKK:208 DOP:214 DZD:012 EGP:818 ERN:232 ETB:230 EUR:978
    FJD:242 FKP:238 GBP:826 GEL:981 GHS:936 GIP:292 GMD:270 GTQ:320 GYD:328 HKD:344 HNL:340 HTG:332 HUF:348 IDR:360
    ILS:376 INR:356 IRR:364 JMD:388 KES:404 KGS:417 KHR:116 KPW:408 KYD:136 KZT:398 LAK:418 LBP:422 LKR:144 LRD:430
    LSL:426 MAD:504 MDL:498 MGA:969 MKD:807 MMK:104 MNT:496 MOP:446 MRU:929 MUR:480 MVR:462 MWK:454 MXN:484 MXV:979
    MYR:458 MZN:943 NAD:516 NGN:566 NIO:558 NOK:578 NPR:524 NZD:554 PAB:590 PEN:604 PGK:598 PHP:608 PKR:586 PLN:985
    QAR:634 RON:946 RSD:941 RUB:643 SAR:682 SBD:090 SCR:690 SDG:938 SEK:752 SGD:702 SHP:654 SLE:925 SOS:706 SRD:968
    SSP:728 STN:930 SVC:222 SYP:760 SZL:748 THB:764 TJS:972 TMT:934 TOP:776 TRY:949 TTD:780 TWD:901 TZS:834 UAH:980
    USD:840 USN:997 UYU:858 UZS:860 VED:926 VES:928 WST:882 XCD:951 XCG:532 YER:886 ZAR:710 ZMW:967 ZWG:924`,
  3: 'BHD:048 IQD:368 JOD:400 KWD:414 LYD:434 OMR:512 TND:788',
  4: 'CLF:990 UYW:927',
};

const EXPONENTS: readonly Exponent[] = [0, 2, 3, 4];

const CURRENCIES: ReadonlyMap<string, Currency> = new Map(
  EXPONENTS.flatMap(exponent =>
    BY_EXPONENT[exponent].split(/\s+/).map((entry): [string, Currency] => {
      const [alpha = '', numeric = ''] = entry.split(':');
      return [numeric, { alpha, exponent }];
    }),
  ),
);

/** Every numeric code of the table. */
export const CURRENCY_CODES: readonly CurrencyCode[] = [...CURRENCIES.keys()].filter(isCurrencyCode);

/** Whether the text is the numeric code of a currency that has a minor unit. */
export function isCurrencyCode(text: string): text is CurrencyCode {
  return CURRENCIES.has(text);
}

const rowOf = (currency: CurrencyCode): Currency => {
  const row = CURRENCIES.get(currency);
  if (row === undefined) throw new TypeError('a currency code that was not proved');
  return row;
};

/** How many decimals an amount in this currency may have. */
export const exponentOf = (currency: CurrencyCode): Exponent => rowOf(currency).exponent;

/** The alphabetic code, such as `USD`, for people. */
export const alphaOf = (currency: CurrencyCode): string => rowOf(currency).alpha;
