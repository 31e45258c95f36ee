/**
 * The tables of what the demo issuer knows beside its books: customers, their accounts, cards with limits, network
 * tokens, one-time passwords and out-of-band authentications. A PIN is kept as a salted hash; CVV2s, one-time passwords
 * and keys of tokens are not kept at all, they are derived from `issuer_key` whenever they are needed.
 */
export const RECORD_TABLES = `
CREATE TABLE issuer_key (id INTEGER PRIMARY KEY CHECK (id = 1), key TEXT NOT NULL) STRICT;

CREATE TABLE customers (
  participant_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  id_type TEXT NOT NULL,
  id_no TEXT NOT NULL,
  name TEXT,
  mobile TEXT,
  email TEXT,
  address TEXT,
  delivery_address TEXT,
  delivery_post_code TEXT,
  delivery_country TEXT,
  PRIMARY KEY (participant_id, customer_id)
) STRICT;

CREATE TABLE customer_accounts (
  account_no TEXT PRIMARY KEY,
  participant_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  account_type TEXT NOT NULL,
  -- N normal, B blocked, X closed
  status TEXT NOT NULL,
  currency TEXT NOT NULL
) STRICT;
CREATE INDEX accounts_of_customer ON customer_accounts (participant_id, customer_id);

CREATE TABLE cards (
  token TEXT PRIMARY KEY,
  participant_id TEXT NOT NULL,
  customer_id TEXT NOT NULL,
  -- the token of the first card of its line: a card and those that replaced it
  root TEXT NOT NULL,
  number TEXT NOT NULL UNIQUE,
  expiry TEXT NOT NULL,
  flag TEXT NOT NULL CHECK (flag IN ('V', 'P')),
  product TEXT NOT NULL,
  picture TEXT,
  emboss_name TEXT,
  open_date TEXT NOT NULL,
  -- null while it is linked to none
  account TEXT,
  currency TEXT NOT NULL,
  card_status TEXT NOT NULL,
  block_status TEXT NOT NULL,
  -- 1 for a card that credentials.json names, in the order of its place
  listed INTEGER NOT NULL,
  place INTEGER NOT NULL,
  -- salt and hash
  pin TEXT,
  pin_tries INTEGER NOT NULL,
  pin_locked INTEGER NOT NULL,
  domestic INTEGER NOT NULL,
  oversea INTEGER NOT NULL,
  ecommerce INTEGER NOT NULL,
  pos INTEGER NOT NULL,
  blacklisted INTEGER NOT NULL,
  whitelisted INTEGER NOT NULL,
  -- 3-D Secure: how and where its holder is reached; null while it is not registered
  secure_by TEXT,
  secure_mobile TEXT,
  secure_email TEXT,
  -- which dynamic CVV is the last one, and until when it is good
  dcvv_count INTEGER NOT NULL,
  dcvv_until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX cards_of_customer ON cards (participant_id, customer_id);

CREATE TABLE card_limits (
  root TEXT NOT NULL,
  limit_type TEXT NOT NULL,
  -- minor units of the card's currency
  amount INTEGER,
  count INTEGER,
  PRIMARY KEY (root, limit_type)
) STRICT;

CREATE TABLE tokens (
  token_id TEXT PRIMARY KEY,
  participant_id TEXT NOT NULL,
  root TEXT NOT NULL,
  card_token TEXT NOT NULL,
  card_expiry TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'SUSPENDED', 'DELETED')),
  -- YYYYMMDDHHMMSS
  expiry TEXT NOT NULL,
  device_id TEXT NOT NULL,
  app_user_id TEXT NOT NULL,
  luk_count INTEGER NOT NULL,
  luk_until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_of_card ON tokens (root);

CREATE TABLE otps (
  ref_no TEXT PRIMARY KEY,
  participant_id TEXT NOT NULL,
  root TEXT NOT NULL,
  sent_by TEXT NOT NULL,
  sent_at_ms INTEGER NOT NULL,
  valid_until_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  -- 1 once it was verified or another one was sent
  used INTEGER NOT NULL
) STRICT;
CREATE INDEX otps_of_card ON otps (root, sent_at_ms);

CREATE TABLE oobs (
  ref_no TEXT PRIMARY KEY,
  participant_id TEXT NOT NULL,
  root TEXT NOT NULL,
  acs_trans_id TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  valid_until_ms INTEGER NOT NULL,
  -- Y or N once the cardholder has answered
  result TEXT
) STRICT;
`;
