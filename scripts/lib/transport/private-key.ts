import ssh2 from 'ssh2';
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
