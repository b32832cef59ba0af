/** hosts.ini as it will be with the droplets of config.cfg, judged before there are any. */
import { Fault } from '../cli.ts';
import type { Mode } from '../config.ts';
import type { Wanted } from '../digitalocean/wanted.ts';
import { type Inventory, networkOf, parseInventory, putHosts } from '../inventory.ts';

/** Stand-ins for addresses that are not known yet (RFC 1112, section 4: of nobody); never written, never connected to. */
const unknown = (i: number): string => `240.0.${i >> 8}.${i & 255}`;

const linesOf = (text: string): string[] => text.split(/\r\n|\n|\r/);

/** Where a line of the later text stands in the earlier one, from 1; undefined where it is new. */
export function formerLine(before: string, later: string, line: number): number | undefined {
  const old = linesOf(before);
  const isChanged = (now: string, then: string): boolean =>
    now.includes('ansible_') && now.trim().split(/\s/)[0] === then.trim().split(/\s/)[0];
  let at = 0;
  for (const [i, text] of linesOf(later).entries()) {
    const same = text === old[at] || (at < old.length && isChanged(text, old[at] as string));
    if (i === line - 1) return same ? at + 1 : undefined;
    if (same) at++;
  }
  return undefined;
}

/** A Fault about the later text, with the lines of the earlier one. */
function translated({ message, next, code }: Fault, file: string, before: string, later: string): Fault {
  const place = (number: string): number | undefined => formerLine(before, later, Number(number));
  const [, number = '', rest = message] =
    /^:(\d+)([\s\S]*)$/.exec(message.startsWith(file) ? message.slice(file.length) : '') ?? [];
  const at = number === '' ? '' : `${file}${place(number) === undefined ? '' : `:${place(number)}`}`;
  const said = rest.replace(/\bin line (\d+)/g, (_, line: string) =>
    place(line) === undefined ? 'of config.cfg' : `in line ${place(line)}`,
  );
  const what = at + said;
  return new Fault({ what, code, ...(next === undefined ? {} : { next }) });
}

/** The inventory as it will be, but for the addresses; a Fault where it cannot have these droplets, or is no network then. */
export function prospectOf(text: string, file: string, wanted: readonly Wanted[], mode: Mode): Inventory {
  const edits = wanted.map(({ name, group }, i) => ({ name, group, address: unknown(i + 1) }));
  const later = putHosts(text, file, edits);
  try {
    const inventory = parseInventory(later, file);
    networkOf(inventory, mode);
    return inventory;
  } catch (error) {
    throw error instanceof Fault ? translated(error, file, text, later) : error;
  }
}
