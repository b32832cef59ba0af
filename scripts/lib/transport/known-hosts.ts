import { createHash, createHmac } from 'node:crypto';

/** One line of an OpenSSH known_hosts file that speaks of the host asked for (sshd(8), SSH_KNOWN_HOSTS). */
export interface KnownKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`. */
  type: string;
  /** The key's blob in base64. */
  key: string;
  revoked: boolean;
  /** `known_hosts:3` */
  at: string;
}

/** How known_hosts names a host: `[1.2.3.4]:2222`, and the bare address on port 22. */
export const knownName = (address: string, port: number): string =>
  port === 22 ? address : `[${address}]:${port}`;

const escaped = (text: string): string => text.replace(/[.+^${}()|[\]\\]/g, '\\$&');

/** Whether one pattern of a host list names the host: `1.2.3.*`, or the hash of its name. */
export function patternMatches(pattern: string, name: string): boolean {
  if (pattern.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = pattern.split('|');
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  }
  const glob = escaped(pattern.toLowerCase()).replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${glob}$`).test(name.toLowerCase());
}

/** Whether a comma-separated host list names the host; a matching `!pattern` rules it out. */
function listMatches(list: string, name: string): boolean {
  const patterns = list.split(',');
  if (patterns.some((pattern) => pattern.startsWith('!') && patternMatches(pattern.slice(1), name)))
    return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && patternMatches(pattern, name));
}

/** The keys that a known_hosts text holds for a host. Certificate authorities are passed over. */
export function knownKeys(text: string, file: string, address: string, port: number): KnownKey[] {
  const name = knownName(address, port);
  return text.split(/\r?\n/).flatMap((line, i) => {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [hosts = '', type, key] = words;
    if (hosts === '' || hosts.startsWith('#') || type === undefined || key === undefined) return [];
    if (marker === '@cert-authority' || !listMatches(hosts, name)) return [];
    return [{ type, key, revoked: marker === '@revoked', at: `${file}:${i + 1}` }];
  });
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export const fingerprint = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** The type that a key's blob says of itself: its first length-prefixed string (RFC 4253, section 6.6). */
export const keyType = (blob: Buffer): string => blob.toString('latin1', 4, 4 + blob.readUInt32BE(0));

export type HostKeyVerdict = 'known' | 'revoked' | 'changed' | 'unknown';

/** What the known keys say of the key that a host presents. */
export function judgeHostKey(
  known: readonly KnownKey[],
  blob: Buffer,
): { verdict: HostKeyVerdict; at?: string } {
  const key = blob.toString('base64');
  const same = known.filter((one) => one.key === key);
  const revoked = same.find((one) => one.revoked);
  if (revoked !== undefined) return { verdict: 'revoked', at: revoked.at };
  if (same.length > 0) return { verdict: 'known' };
  const other = known.find((one) => !one.revoked);
  return other === undefined ? { verdict: 'unknown' } : { verdict: 'changed', at: other.at };
}

/** Signature algorithms in the order to offer them: those of keys that are known first. */
export function hostKeyAlgorithms(known: readonly KnownKey[]): string[] {
  const all = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ];
  const typeOf = (algorithm: string): string => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  const isKnown = (algorithm: string): boolean =>
    known.some((one) => !one.revoked && one.type === typeOf(algorithm));
  return [...all.filter(isKnown), ...all.filter((algorithm) => !isKnown(algorithm))];
}
