/**
 * Payloads opened and sealed by jose. It is the reference for `nodeEngine.ts`, which does the same in less time, and could
 * serve in its place.
 */
import { compactDecrypt } from 'jose/jwe/compact/decrypt';
import { CompactEncrypt } from 'jose/jwe/compact/encrypt';
import { headerFor, JWE_ALG, JWE_ENC, type JweEngine } from './jweEngine.ts';

export const joseEngine: JweEngine = {
  open: async ({ text }, key) => {
    try {
      const { plaintext } = await compactDecrypt(text, key, {
        keyManagementAlgorithms: [JWE_ALG],
        contentEncryptionAlgorithms: [JWE_ENC],
        maxDecompressedLength: 0,
        crit: {},
      });
      return plaintext;
    } catch {
      return undefined;
    }
  },
  seal: (plain, to) => new CompactEncrypt(plain).setProtectedHeader(headerFor(to)).encrypt(to.key),
};
