import ssh2, { type ParsedKey } from 'ssh2';
import { Fault, messageOf } from '../cli.ts';
import { md5Of } from './fingerprint.ts';

/** Whether a private key needs a passphrase; a Fault for a file that is no private key at all. */
export function isEncryptedKey(text: string, file: string): boolean {
  const parsed = ssh2.utils.parseKey(text);
  if (!(parsed instanceof Error)) {
    if (parsed.isPrivateKey()) return false;
    throw new Fault({ at: file, what: 'holds a public key, the private one was expected' });
  }
  if (/encrypted/i.test(parsed.message)) return true;
  throw new Fault({ at: file, what: `holds no SSH private key that can be read (${messageOf(parsed)})` });
}

/** MD5 of a private key's public half, `3b:16:bf:…`, as DigitalOcean shows it; undefined where the key cannot be read. */
export function md5Fingerprint(text: string): string | undefined {
  const parsed = ssh2.utils.parseKey(text);
  return parsed instanceof Error ? undefined : md5Of(parsed.getPublicSSH());
}

/** A key with its passphrase; undefined where that is not the one. */
export function unlock(text: string, passphrase: string): ParsedKey | undefined {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  return parsed instanceof Error ? undefined : parsed;
}

const blobOf = (publicKey: string): Buffer | undefined => {
  const parsed = ssh2.utils.parseKey(publicKey);
  return parsed instanceof Error ? undefined : parsed.getPublicSSH();
};

/** What an OpenSSH key file begins with; the public half stands in it in the clear. */
const MAGIC = 'openssh-key-v1\0';

/**
 * The public half of a key file that cannot be read without its passphrase: from the file itself, else from the text of
 * the `.pub` beside it. Also of a file that holds a public key only. Undefined where neither has it.
 */
export function publicHalf(text: string, pub: string | undefined): Buffer | undefined {
  const [, body = ''] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text) ?? [];
  const blob = Buffer.from(body, 'base64');
  if (blob.toString('latin1', 0, MAGIC.length) === MAGIC) {
    // Cipher, key derivation and its options, each behind its length; then how many keys, and the public one.
    let at = MAGIC.length;
    for (let skipped = 0; skipped < 3 && at + 4 <= blob.length; skipped++) at += 4 + blob.readUInt32BE(at);
    at += 4;
    if (at + 4 <= blob.length) return blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at));
  }
  return blobOf(text) ?? (pub === undefined ? undefined : blobOf(pub));
}
