/** The client as a change of keys sees it: up with these very files, or not there. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readText } from '../files.ts';
import { quote } from '../shell.ts';
import { type ClientFlags, type ClientPlace, clientPlace, placeText, shellInClient } from './in-client.ts';

export interface Client {
  place: ClientPlace;
  /** Where its files are, as it sees them. */
  directory: string;
}

/** Where a container and a lab's client see them. */
const INSIDE = '/etc/wireguard';

/**
 * The client that is up with the files of `out`, or `down` where it has them and no tunnel; undefined where none is found,
 * and a Fault where one is up with others.
 */
export async function clientInUse(flags: ClientFlags, out: string): Promise<Client | 'down' | undefined> {
  const place = clientPlace(flags);
  if (place === undefined) return undefined;
  const directory = place.kind === 'here' ? out : INSIDE;
  const files = `${quote(join(directory, 'wg0.conf'))} ${quote(join(directory, 'setup.sh'))}`;
  let said: string;
  try {
    const { stdout } = await shellInClient(
      place,
      `if wg show wg0 >/dev/null 2>&1; then echo up
else command -v wg >/dev/null && [ -z "$(wg show interfaces | tr ' ' '\\n' | grep -E '^wgnet[0-9]+$')" ] && echo down; fi
sha256sum ${files} 2>/dev/null`,
    );
    said = stdout;
  } catch (error) {
    if (place.named || !(error instanceof Fault)) throw error;
    return undefined;
  }
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readText(join(out, name)))
      .digest('hex');
  const same = (): boolean => ['wg0.conf', 'setup.sh'].every((name) => said.includes(hash(name)));
  if (!said.startsWith('up\n')) return said.startsWith('down\n') && same() ? 'down' : undefined;
  if (same()) {
    if (/^rekey\(\)/m.test(readText(join(out, 'setup.sh')))) return { place, directory };
    throw new Fault({
      at: join(out, 'setup.sh'),
      what: 'is of an earlier version, which cannot change keys while it is up',
      next: 'npx zx scripts/wgnet-setup.ts, without --rotate-keys',
    });
  }
  throw new Fault({
    at: placeText(place),
    what: `this client is up with other files than those in ${out}`,
    next: '--container NAME, --lab or --here say where the right one is; --out names its files',
    code: EXIT.refused,
  });
}
