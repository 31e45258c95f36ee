/**
 * The connections with TLS on which callers have shown a certificate, and which of them may go on when the authorities are
 * exchanged: a handshake is long past when an authority is taken away, and a kept-alive connection could outlive it by days.
 */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** OpenSSL follows no longer chain either. */
const CHAIN_MAX = 100;

export class SecuredConnections {
  readonly #open = new Set<TLSSocket>();
  readonly #unwelcome = new WeakSet<object>();
  #clientCa: string | undefined;
  /** Those of the latest exchange; undefined where there was none, since each handshake was held to the present ones. */
  #authorities: readonly X509Certificate[] | undefined;

  /** `clientCa`: the authorities in PEM, where callers must show a certificate. */
  constructor(clientCa: string | undefined) {
    this.#clientCa = clientCa;
  }

  /** Takes in a connection after its handshake, which may have begun before the last exchange. */
  add(socket: TLSSocket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    if (!this.#comesFromThem(socket)) this.#unwelcome.add(socket);
  }

  /** Puts other authorities in place, and gives the connections whose callers would not be let in any more. */
  exchange(clientCa: string | undefined): readonly TLSSocket[] {
    if (clientCa === this.#clientCa) return [];
    this.#clientCa = clientCa;
    this.#authorities = (clientCa?.match(PEM_CERTIFICATE) ?? []).map(pem => new X509Certificate(pem));
    const unwelcome = [...this.#open].filter(socket => !this.#comesFromThem(socket));
    for (const socket of unwelcome) this.#unwelcome.add(socket);
    return unwelcome;
  }

  /** Whether a request on this connection may be served. */
  isWelcome(socket: object): boolean {
    return !this.#unwelcome.has(socket);
  }

  /** A session that was resumed does not tell all of its chain, and may be ended without need. */
  #comesFromThem(socket: TLSSocket): boolean {
    const authorities = this.#authorities;
    if (!authorities) return true;
    let shown = socket.getPeerX509Certificate();
    for (let height = 0; shown && height < CHAIN_MAX; height += 1) {
      const below = shown;
      if (authorities.some(one => one.fingerprint256 === below.fingerprint256 || issued(one, below))) return true;
      shown = below.issuerCertificate;
    }
    return false;
  }
}

const issued = (authority: X509Certificate, below: X509Certificate): boolean =>
  below.checkIssued(authority) && below.verify(authority.publicKey);
