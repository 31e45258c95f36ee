/**
 * Certificates for TLS in PEM: our own with its key, and authorities to believe. They are proved when the configuration
 * is loaded, so that a file that is swapped, torn or out of date is found by an operator and not by a handshake.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { Secret } from '../domain/secret.ts';
import { Fault } from './fault.ts';

/** A certificate with its key, proved to belong together. */
export type Identity = {
  /** PEM: the certificate first, then what chains it to an authority. */
  readonly cert: string;
  readonly key: Secret<string>;
  /** When the first of the certificates ends, in milliseconds since 1970. */
  readonly expiresAtMs: number;
};

/** Certificates of authorities. */
export type Authorities = {
  readonly pem: string;
  /** When the first of those that are still valid ends; where none is, when the last one ended. */
  readonly expiresAtMs: number;
  /** How many have ended already. */
  readonly ended: number;
};

/** A chain is two or three long; a file of trusted authorities is one operator's, not the world's. */
const CERTIFICATES_MAX = 32;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const CERTIFICATE_MEND = 'write certificates in PEM (-----BEGIN CERTIFICATE-----)';

/** The day of a moment, for people. */
export const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);

const readCertificates = (pem: string): readonly X509Certificate[] | Fault => {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) return new Fault('holds no certificate', CERTIFICATE_MEND);
  if (blocks.length > CERTIFICATES_MAX) {
    return new Fault(`holds more than ${CERTIFICATES_MAX} certificates`, 'keep those that are needed');
  }
  try {
    return blocks.map(block => new X509Certificate(block));
  } catch {
    return new Fault('holds a certificate that cannot be read', CERTIFICATE_MEND);
  }
};

const endOf = (certificate: X509Certificate): number => certificate.validToDate.getTime();
const beginOf = (certificate: X509Certificate): number => certificate.validFromDate.getTime();

/** Proves our own certificate: all of the chain is valid now. */
export const proveCertificate = (pem: string, wallMs: number): Pick<Identity, 'cert' | 'expiresAtMs'> | Fault => {
  const chain = readCertificates(pem);
  if (chain instanceof Fault) return chain;
  for (const certificate of chain) {
    const mend = 'put a certificate there that is valid now, and check the clock';
    if (endOf(certificate) <= wallMs) {
      return new Fault(`holds a certificate that expired on ${dayOf(endOf(certificate))}`, mend);
    }
    if (beginOf(certificate) > wallMs) {
      return new Fault(`holds a certificate that is not valid before ${dayOf(beginOf(certificate))}`, mend);
    }
  }
  return { cert: pem, expiresAtMs: Math.min(...chain.map(endOf)) };
};

/** Proves the key of a certificate that has been proved. The fault says nothing of what is in the file. */
export const proveKey = (pem: string, cert: string): Secret<string> | Fault => {
  const key = readKey(pem);
  if (key instanceof Fault) return key;
  const certificates = readCertificates(cert);
  if (certificates instanceof Fault) return certificates;
  const [leaf, ...others] = certificates;
  if (!leaf?.checkPrivateKey(key)) {
    const isBehind = others.some(other => other.checkPrivateKey(key));
    return isBehind
      ? new Fault(
          'is not the key of the first certificate in certFile',
          'put the own certificate first, then its chain',
        )
      : new Fault('is not the key of the certificate in certFile', 'name the two files of one pair');
  }
  try {
    createSecureContext({ cert, key: pem });
  } catch {
    return new Fault('makes no pair that TLS accepts with certFile', 'use an EC key, or RSA with 2048 bits or more');
  }
  return new Secret(pem);
};

const readKey = (pem: string): KeyObject | Fault => {
  if (pem.includes('ENCRYPTED')) {
    return new Fault('holds a key behind a passphrase', 'store the key without one, readable by its owner only');
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return new Fault('holds no private key', 'write a private key in PEM, as PKCS #8');
  }
};

/** Proves certificates of authorities, whether they are still valid or not. */
export const proveAuthorities = (pem: string, wallMs: number): Authorities | Fault => {
  const all = readCertificates(pem);
  if (all instanceof Fault) return all;
  // One that signed itself is the authority for itself, whatever it says it is.
  if (!all.every(certificate => certificate.ca || certificate.checkIssued(certificate))) {
    return new Fault(
      'holds a certificate that is not of an authority',
      'put the certificate of whoever issued it there',
    );
  }
  const ends = all.map(endOf).filter(end => end > wallMs);
  const expiresAtMs = ends.length === 0 ? Math.max(...all.map(endOf)) : Math.min(...ends);
  return { pem, expiresAtMs, ended: all.length - ends.length };
};

/** What is wrong with authorities none of which is valid any more; undefined where one is. */
export const endedFault = ({ expiresAtMs }: Authorities, wallMs: number): Fault | undefined =>
  expiresAtMs > wallMs
    ? undefined
    : new Fault(
        `holds no authority that is still valid; the last expired on ${dayOf(expiresAtMs)}`,
        'put a valid one there',
      );
