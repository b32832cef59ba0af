/** What cloud-init would take from a droplet's user data: the SSH host key. */
import { parse } from 'yaml';

/**
 * The private host key of a `#cloud-config`, as the text of a key file; undefined where there is none, and for what cloud-init could not read, as a droplet
 * comes up with keys of its own then.
 */
export function hostKeyIn(userData: string): string | undefined {
  if (!userData.startsWith('#cloud-config')) return undefined;
  let config: unknown;
  try {
    config = parse(userData, { logLevel: 'silent' });
  } catch {
    return undefined;
  }
  const keys = (config as { ssh_keys?: Record<string, unknown> } | null)?.ssh_keys;
  return ['ed25519', 'ecdsa', 'rsa']
    .map((type) => [keys?.[`${type}_private`], keys?.[`${type}_public`]])
    .find((pair): pair is [string, string] => pair.every((key) => typeof key === 'string'))?.[0];
}
