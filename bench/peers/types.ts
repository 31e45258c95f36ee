/**
 * What the bench's engine and the things it measures agree on: how a peer is started and whose CPU it uses, and what a
 * load says, so that wrk and a loader in JavaScript send the very same requests.
 */

/** Ends with what it started gone. */
export type Stop = () => Promise<void>;

/** The command line that runs a command where it belongs: `taskset -c 1 ...`, or the command itself. */
export type Pin = (command: readonly string[]) => readonly string[];

/** A started thing that requests can be sent to. */
export type Peer = {
  /** Loads append their path: `http://127.0.0.1:PORT/card-api`. */
  readonly url: string;
  /** Roots of the process trees whose CPU and memory count. Empty where the load goes straight to the issuer. */
  readonly pids: readonly number[];
  /** From the start of the process until its port accepted, in milliseconds; undefined where nothing was started. */
  readonly startMs: number | undefined;
  /** Of the gateway: where `/metrics` is. */
  readonly adminUrl?: string;
  readonly stop: Stop;
};

/** What a run has made before any peer is started. */
export type World = {
  /** The issuer that peers forward to, with its base path. */
  readonly issuerUrl: string;
  /** A private Redis of this run, such as `redis://127.0.0.1:PORT`. Each start of a peer takes a database of its own. */
  readonly redisUrl: string;
  /** A folder of this run; each start of a peer makes one of its own in it. */
  readonly dir: string;
  /** Puts the peer on the measured core. */
  readonly pin: Pin;
  readonly credentials: Credentials;
};

export type PeerRow = {
  readonly name: string;
  /** What it does, for the report. */
  readonly what: string;
  /** Why it cannot be measured on this machine; undefined where it can. */
  readonly isAvailable: () => Promise<string | undefined>;
  /** Resolves once it answers. @throws Error with what it printed, where it does not get ready. */
  readonly start: (world: World) => Promise<Peer>;
};

/** A client with opaque tokens. */
export type BearerClient = { readonly id: string; readonly tokens: readonly string[] };

/** A client with a signing key: it makes assertions, and opens answers. Key files hold private JWKs, mode 0600. */
export type OauthClient = {
  readonly id: string;
  readonly payload: 'plain' | 'encrypted';
  /** The public keys, as the gateway's configuration names them. */
  readonly keysFile: string;
  readonly signingKeyFile: string;
  readonly decryptionKeyFile: string;
};

/** Everything secret of a run, made when it begins. Nothing of it is ever printed. */
export type Credentials = {
  readonly participantId: string;
  readonly bearerClients: readonly BearerClient[];
  readonly oauthClients: readonly OauthClient[];
  readonly issuerToken: string;
  readonly sealKeyFile: string;
  /** The gateway's own keys: private EC P-256, and private RSA-2048. */
  readonly tokenKeyFile: string;
  readonly payloadKeyFile: string;
};

/**
 * A load that can be put on a peer which `takes` it. It is built once the peer runs: access tokens come from the peer itself.
 */
export type LoadRow = {
  readonly name: string;
  readonly what: string;
  /** `requestsMost`: how many requests the peer will get of it in its whole life; prepared messages are made for so many. */
  readonly build: (world: World, peer: Peer, requestsMost: number) => Promise<Load>;
};

/** One request of a load, ready to be sent to `peer.url + path`. */
export type LoadRequest = {
  readonly method: 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/**
 * What is sent, as data. A body is either text around an id (always of `ID_LENGTH` characters), or comes from a pool of
 * messages that were made before, each of which may be sent once.
 */
export type Load = {
  readonly name: string;
  readonly path: string;
  /** Headers that are the same every time; `timestamp` (UNIX seconds) is added, and Content-Length. */
  readonly headers: Readonly<Record<string, string>>;
  /** Values of `Authorization`, in turn. Each belongs to a client; `client` numbers them for replays. */
  readonly callers: readonly { readonly authorization: string; readonly client: number }[];
  readonly body: TemplateBody | PoolBody;
};

export type TemplateBody = {
  readonly kind: 'template';
  readonly before: string;
  readonly after: string;
  /** `fresh`: another id every time. `replayed`: one id per client, again and again. */
  readonly ids: 'fresh' | 'replayed';
};

export type PoolBody = {
  readonly kind: 'pool';
  /** One message a line. */
  readonly file: string;
  readonly count: number;
};

/** A stretch of a pool that one run of a loader may use up. */
export type Slice = { readonly from: number; readonly count: number };
