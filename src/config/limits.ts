/**
 * The limits that hold for the whole process, and the defaults of those that the configuration may set, each with its
 * reason. Limits that depend on each other are checked against each other in `relations.ts`.
 */

const SECOND_MS = 1000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;

/** The caller's budget from arrival to answer: what card schemes leave a remote authorizer. */
export const BUDGET_MS_DEFAULT = 3000;
/** Past a minute no card terminal waits any more. */
export const BUDGET_MS_MOST = 60 * SECOND_MS;

/** The issuer's part of the caller's budget: leaves a third for both journal steps and for slow networks on our side. */
export const TIMEOUT_MS_DEFAULT = 2000;

/**
 * What has to be left of the caller's budget when the issuer's time is up: enough for `settle`, which is one journal
 * round trip of at most 200 ms, and for writing the answer.
 */
export const SETTLE_RESERVE_MS = 300;

/** With less left than this no issuer answers in time: not sending is a clean no, sending would be a doubt to undo. */
export const LEAST_BUDGET_MS = 20;

/**
 * A claim is leased for the caller's budget and this. The owner has then certainly given up before anyone takes over,
 * even when its event loop hangs for a while; a longer margin only delays the undo after a crash.
 */
export const LEASE_MARGIN_MS = 2000;

/** A transaction is well below 4 KiB; past 64 KiB a body is a mistake or an attack, and buffering it costs memory. */
export const BODY_BYTES_MAX = 64 * 1024;
/** The contract has six headers of its own and proxies add some ten; Node's own default is 2 000. */
export const HEADER_COUNT_MAX = 64;
/** Headers fit in one packet or two; longer than this is a slow-sender attack. */
export const HEADERS_TIMEOUT_MS = 5 * SECOND_MS;
/** The whole request, body included. 64 KiB take less than this on the slowest line worth serving. */
export const REQUEST_TIMEOUT_MS = 10 * SECOND_MS;
/** Longer than the idle time of load balancers (60 s), or they would reuse a connection just as we close it. */
export const KEEP_ALIVE_TIMEOUT_MS = 75 * SECOND_MS;

/** Calls at one issuer at a time: its connections. At 20 ms a call this is more than 10 000 a second. */
export const MAX_IN_FLIGHT_DEFAULT = 256;
/**
 * How long a call waits where its issuer has no place free, before it is refused: ten calls of a quick issuer, and so long
 * that a thousand callers who call again at once are four thousand refusals a second, a small part of a core.
 */
export const FULL_ISSUER_PAUSE_MS = 250;
/** Calls of all callers at a time; at 64 KiB each, with room to spare, that is what one process holds in memory. */
export const IN_FLIGHT_PER_PROCESS = 4096;
/**
 * Requests begun in one turn of the event loop: two milliseconds of work on one core, so that what was begun before is
 * never kept waiting for longer, and enough for the journal's calls of a turn to travel together.
 */
export const BEGUN_PER_TURN = 16;
/** Refused in one turn for having waited too long: a refusal costs a fifth of a call, so that four fifths stay for calls. */
export const TURNED_AWAY_PER_TURN = BEGUN_PER_TURN;
/** Connections to the public port: all that may be in flight, and as many kept alive; more would take what the journal needs. */
export const CONNECTIONS_PER_PROCESS = 2 * IN_FLIGHT_PER_PROCESS;
/** Descriptors kept for the journal, the log, the admin port, and what Node itself has open. */
export const OWN_DESCRIPTORS = 128;
/**
 * Requests that wait for their turn: one of each connection. Refused at once, callers would call again at once, and the
 * refusals would leave no time for calls; who sends several on one connection may be.
 */
export const WAITING_PER_PROCESS = CONNECTIONS_PER_PROCESS;
/**
 * How much of the shortest budget of any client a request may wait for its turn. Whoever waits has not said who they are
 * yet; after half of it there is still time for an issuer that answers, or for the caller to ask elsewhere.
 */
export const WAIT_FOR_TURN_SHARE = 0.5;
/** Deliveries at one issuer at a time: enough to catch up, too few to push an issuer over that just came back. */
export const DELIVERIES_PER_ISSUER = 16;
/** Each worker needs one of the deliveries to an issuer. A machine for more workers than this runs several gateways. */
export const WORKERS_MOST = DELIVERIES_PER_ISSUER;

/**
 * Calls at one issuer at a time when its breaker has just closed; one more for each answer. As many as deliveries, which
 * set off in that moment as well.
 */
export const CALLS_AFTER_OUTAGE = DELIVERIES_PER_ISSUER;

/** The first delivery goes at once; the wait before the second is drawn from 0 to this, and doubles from there. */
export const DELIVERY_BACKOFF_FIRST_MS = 200;
/** An issuer that came back waits for its undos no longer than this. */
export const DELIVERY_BACKOFF_MOST_MS = 60 * SECOND_MS;
/** After three days, a long weekend, a person has to look. */
export const DELIVERY_PARK_AFTER_MS = 72 * HOUR_MS;

/** After this an unseen message will not be processed any more, unless the issuer says otherwise. */
export const MAX_PROCESSING_MS_DEFAULT = 60 * SECOND_MS;
/** How long an issuer recognises a repeated `tranId`: as long as we would repeat it. */
export const REMEMBERS_HOURS_DEFAULT = 72;
/** Entries live for a week, so that a retry after any holiday is still recognised. */
export const RETENTION_HOURS_DEFAULT = 168;
/**
 * How far `tranDate` may lie ahead, and the same off the retention behind. An entry made at t has a `tranDate` of at most
 * t + 48 h; when it is forgotten at t + retention that date is already refused, so that it can never run twice.
 */
export const TRAN_DATE_MARGIN_HOURS = 48;
/** Below this no `tranDate` at all would be acceptable. */
export const RETENTION_HOURS_LEAST = TRAN_DATE_MARGIN_HOURS + 1;
/**
 * How long no money moves after the journal has lost data: as long as callers go on repeating what they were not told,
 * which the journal would no longer recognise.
 */
export const AMNESIA_MINUTES_DEFAULT = 10;
/** A day: whoever repeats for longer has a person to ask. */
export const AMNESIA_MINUTES_MOST = 24 * 60;
/** Replicas that a claim may wait for; a journal with more has no use for all of them. */
export const REPLICAS_MOST = 5;

/** A year: what is older belongs into an archive. */
export const RETENTION_HOURS_MOST = 24 * 366;

/** How far the `timestamp` header may be from now; callers' clocks are seldom minutes off, replays are. */
export const TIMESTAMP_TOLERANCE_SECONDS_DEFAULT = 300;
/** 0: no limit. Only the operator knows what a client was promised. */
export const RATE_PER_SECOND_DEFAULT = 0;

/** Opens at half of at least 20 calls in 10 s, so that neither one bad call nor one bad second opens it. */
export const BREAKER_DEFAULT = { errorPercent: 50, minimumCalls: 20, windowMs: 10_000, openMs: 5000 } as const;

/** Lifetime of an access token. */
export const ACCESS_TOKEN_MINUTES_DEFAULT = 60;

/** A configuration with hundreds of clients is below this; more is another file named by mistake. */
export const CONFIG_BYTES_MAX = 1024 * 1024;
/** Keys, tokens and hashes are far below this. */
export const CONFIG_PART_BYTES_MAX = 64 * 1024;

/** Most that a client assertion may live: it is used at once. */
export const ASSERTION_LIFE_SECONDS_MAX = 300;
/** What clocks of synchronised machines differ at most. */
export const CLOCK_TOLERANCE_SECONDS = 10;
