/** Which of its two modes this client is in, by the rules that the kernel has: files may be of another set-up. */
import { Option } from 'commander';
import { Fault } from './fault.ts';
import { askIp } from './ip.ts';
import { MODES, type Mode, type Tcp } from './modes.ts';

export type { Mode, Tcp } from './modes.ts';
export { MODES } from './modes.ts';

/** Mark of the wgnetN's own packets, and the table that all else is looked up in. */
const WGNET = 51821;
/** Preference of the rules of sticky TCP; mark and table of path K are this and K. */
const STICKY = { preference: 98, base: 52000 };

interface Rule {
  priority: number;
  fwmark?: string;
  not?: null;
  table?: string;
}

const rulesIn = (json: string): Rule[] => JSON.parse(json) as Rule[];

/** The mode in what `ip -j -4 rule` printed; `wireguard` where none of our rules is there. */
export const modeIn = (json: string): Mode =>
  rulesIn(json).some(
    ({ not, fwmark, table }) => not !== undefined && Number(fwmark) === WGNET && table === String(WGNET),
  )
    ? 'quic'
    : 'wireguard';

/** Mark of wg0's packets in mode wireguard, and the table of all others there. */
const WG0 = 51820;

/** As {@link modeIn}; undefined where this is no client that was set up. */
export function clientModeIn(json: string): Mode | undefined {
  const mode = modeIn(json);
  const wg0 = ({ not, fwmark }: Rule): boolean => not !== undefined && Number(fwmark) === WG0;
  return mode === 'quic' || rulesIn(json).some(wg0) ? mode : undefined;
}

/** What becomes of TCP, in what `ip -j -4 rule` printed; it says something in mode quic alone. */
export const tcpIn = (json: string): Tcp =>
  rulesIn(json).some(
    ({ priority, fwmark, table }) =>
      priority === STICKY.preference && Number(fwmark) > STICKY.base && table === String(Number(fwmark)),
  )
    ? 'sticky'
    : 'none';

/** The rules that the mode is read from. */
export const rulesNow = (): string => askIp('-j', '-4', 'rule');

/** The mode of this network namespace. */
export const modeNow = (): Mode => modeIn(rulesNow());

/** What becomes of TCP in this network namespace. */
export const tcpNow = (): Tcp => tcpIn(rulesNow());

/** For commands in the client: it changes nothing there. */
export const modeFlag = (): Option =>
  new Option('--mode <mode>', 'refuse to begin where this client is in another mode').choices(MODES);

/** The refusal of a client in another mode than was asked for; undefined where it is the same, or none was asked for. */
export const modeFault = (wanted: Mode | undefined, there: Mode): Fault | undefined =>
  wanted === undefined || wanted === there
    ? undefined
    : new Fault({
        at: `--mode ${wanted}`,
        what: `this client is in mode ${there}`,
        next: `npx zx scripts/wgnet-setup.ts --mode ${wanted}, then /etc/wireguard/setup.sh on the client`,
      });

/** The mode of this network namespace; throws a Fault where another one is wanted. */
export function requireMode(wanted: Mode | undefined): Mode {
  const there = modeNow();
  const fault = modeFault(wanted, there);
  if (fault !== undefined) throw fault;
  return there;
}

/** The mode that is wanted, for a plan: on a client its own, and another is refused; anywhere else `wireguard` unless wanted. */
export function plannedMode(wanted: Mode | undefined, ask = rulesNow): Mode {
  let there: Mode | undefined;
  try {
    there = clientModeIn(ask());
  } catch (error) {
    // No machine that any rules are read on.
    if (!(error instanceof Fault)) throw error;
  }
  const fault = there && modeFault(wanted, there);
  if (fault !== undefined) throw fault;
  return there ?? wanted ?? 'wireguard';
}
