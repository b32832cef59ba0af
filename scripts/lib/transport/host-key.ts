import ssh2 from 'ssh2';

/** A key pair in OpenSSH's formats. */
export interface KeyPair {
  /** Whole text of a private key file. */
  privateKey: string;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  publicKey: string;
}

/** Bytes of an Ed25519 key's blob: two lengths, its name, 32 bytes (RFC 8709, section 4). */
const BLOB = 4 + 'ssh-ed25519'.length + 4 + 32;

/**
 * A new Ed25519 key pair, in memory only. One key in 256 has a zero as its first byte, which ssh2 1.17 leaves out, and
 * neither OpenSSH nor ssh2 itself can read what it writes then: such a one is thrown away.
 */
export function newHostKey(): KeyPair {
  for (;;) {
    const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
    const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
    if (blob.length === BLOB && !(ssh2.utils.parseKey(privateKey) instanceof Error))
      return { privateKey, publicKey };
  }
}
