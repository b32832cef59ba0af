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

/** The client that is up with the files of `out`; undefined where none is, and a Fault where it has others. */
export async function clientInUse(flags: ClientFlags, out: string): Promise<Client | undefined> {
  const place = clientPlace(flags);
  if (place === undefined) return undefined;
  const directory = place.kind === 'here' ? out : INSIDE;
  const files = `${quote(join(directory, 'wg0.conf'))} ${quote(join(directory, 'setup.sh'))}`;
  let said: string;
  try {
    const { stdout } = await shellInClient(
      place,
      `wg show wg0 >/dev/null 2>&1 || exit 0\necho up\nsha256sum ${files} 2>/dev/null`,
    );
    said = stdout;
  } catch (error) {
    if (place.named || !(error instanceof Fault)) throw error;
    return undefined;
  }
  if (!said.startsWith('up\n')) return undefined;
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readText(join(out, name)))
      .digest('hex');
  if (['wg0.conf', 'setup.sh'].every((name) => said.includes(hash(name)))) {
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
