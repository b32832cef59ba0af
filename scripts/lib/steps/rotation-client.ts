/** The client as a change of keys sees it: up with these very files, or not there. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { EXIT, Fault } from '../cli.ts';
import { readText } from '../files.ts';
import { quote } from '../shell.ts';
import { MODE_PROBE, modeIn } from '../status/client.ts';
import type { Topology } from '../wireguard/topology.ts';
import { type PlaceFlags, sameFilesHint } from './hints.ts';
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
export async function clientInUse(
  flags: ClientFlags & PlaceFlags,
  out: string,
  { mode, comp }: Pick<Topology, 'mode' | 'comp'>,
): Promise<Client | 'down' | undefined> {
  const place = clientPlace(flags);
  if (place === undefined) return undefined;
  const directory = place.kind === 'here' ? out : INSIDE;
  // wg0 comes up last; in mode quic there are only the paths.
  const tunnel = comp?.interface ?? 'wgnet1';
  const names = [`${tunnel}.conf`, 'setup.sh'];
  const files = names.map((name) => quote(join(directory, name))).join(' ');
  let said: string;
  try {
    const { stdout } = await shellInClient(
      place,
      `if wg show ${tunnel} >/dev/null 2>&1; then echo up
else command -v wg >/dev/null && [ -z "$(wg show interfaces | tr ' ' '\\n' | grep -E '^wgnet[0-9]+$')" ] && echo down; fi
${MODE_PROBE}
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
  const same = (): boolean => names.every((name) => said.includes(hash(name)));
  if (!said.startsWith('up\n')) return said.startsWith('down\n') && same() ? 'down' : undefined;
  if (same()) {
    const now = modeIn(said);
    if (now !== null && now !== mode)
      throw new Fault({
        at: placeText(place),
        what: `this client is up in mode ${now}, and its files are of mode ${mode} by now`,
        next: `${join(directory, 'setup.sh')} there, then this again`,
      });
    if (/^rekey\(\)/m.test(readText(join(out, 'setup.sh')))) return { place, directory };
    throw new Fault({
      at: join(out, 'setup.sh'),
      what: 'is of an earlier version, which cannot change keys while it is up',
      next: `${sameFilesHint('wgnet-setup', flags)}, without --rotate-keys`,
    });
  }
  throw new Fault({
    at: placeText(place),
    what: `this client is up with other files than those in ${out}`,
    next: '--container NAME, --lab or --here say where the right one is; --out names its files',
    code: EXIT.refused,
  });
}
