/** What the client is set up as, looked at before each visit: setup.sh may have been run since the one before. */
import { EXIT, Fault } from '../fault.ts';
import { clientModeIn, type Mode, rulesNow, type Tcp, tcpIn } from '../mode.ts';
import { presentTunnels, type Tunnel } from './tunnels.ts';

/** What a run keeps to from its first visit to its last. */
export interface Began {
  mode: Mode;
  tcp: Tcp;
}

/** Why a run cannot go on with the mode that these rules make; undefined where it can, or where `setup.sh down` took them away. */
export function modeChange({ mode }: Began, rules: string): Fault | undefined {
  const now = clientModeIn(rules);
  if (now === undefined || now === mode) return undefined;
  return new Fault({
    what: `this client was in mode ${mode} when the run began, and is in mode ${now} now; every visit so far is kept`,
    next: `npx zx scripts/wgnet-setup.ts --mode ${mode}, then /etc/wireguard/setup.sh on the client, then the same command again; or another run`,
    code: EXIT.failed,
  });
}

/** As {@link modeChange}, of what becomes of TCP in mode quic. */
export function tcpChange({ mode, tcp }: Began, rules: string): Fault | undefined {
  if (mode !== 'quic' || clientModeIn(rules) !== 'quic' || tcpIn(rules) === tcp) return undefined;
  return new Fault({
    what: `allow_tcp was ${tcp} on this client when the run began, and is ${tcpIn(rules)} now; every visit so far is kept`,
    next: `npx zx scripts/wgnet-setup.ts --mode quic --allow-tcp ${tcp}, then /etc/wireguard/setup.sh on the client, then the same command again; or another run`,
    code: EXIT.failed,
  });
}

/** Differences that are told one by one. */
const MOST_TOLD = 4;

/** How tunnels are others than they were: `wgnet1: MTU 1420, was 1300; …`; undefined where they are the same. */
export function difference(before: readonly Tunnel[], now: readonly Tunnel[]): string | undefined {
  const all = now.flatMap((tunnel) => {
    const was = before.find((each) => each.interface === tunnel.interface);
    if (was === undefined) return [`${tunnel.interface}: new`];
    const facts = [
      ['address', tunnel.client_address, was.client_address],
      ['endpoint', tunnel.endpoint, was.endpoint],
      ['MTU', tunnel.mtu, was.mtu],
    ] as const;
    return facts
      .filter(([, one, other]) => one !== other)
      .map(([name, one, other]) => `${tunnel.interface}: ${name} ${one}, was ${other}`);
  });
  if (all.length === 0) return undefined;
  const more = all.length > MOST_TOLD ? `; and ${all.length - MOST_TOLD} more` : '';
  return `${all.slice(0, MOST_TOLD).join('; ')}${more}`;
}

export interface Look {
  /** Those of the run that are set up. */
  tunnels: readonly Tunnel[];
  /** The others, by name. */
  missing: string[];
  /** How they are others than at the look before; undefined where they are not, or some are missing. */
  changed: string | undefined;
}

/** The tunnels of a run, as they are now. */
export class Present {
  private last: readonly Tunnel[];
  private readonly began: Began;
  private readonly read: { rules: () => string; tunnels: (names: readonly string[]) => Tunnel[] };

  constructor(began: Began, tunnels: readonly Tunnel[], read = { rules: rulesNow, tunnels: presentTunnels }) {
    [this.began, this.last, this.read] = [began, tunnels, read];
  }

  /** Throws a Fault where the client is in another mode than the run. */
  look(): Look {
    const names = this.last.map((tunnel) => tunnel.interface);
    const rules = this.read.rules();
    const fault = modeChange(this.began, rules);
    if (fault !== undefined) throw fault;
    // Read behind the rules: `setup.sh down` takes the tunnels away before what says that TCP is sticky.
    const tunnels = this.read.tunnels(names);
    const missing = names.filter((name) => !tunnels.some((tunnel) => tunnel.interface === name));
    if (missing.length > 0) return { tunnels, missing, changed: undefined };
    const other = tcpChange(this.began, rules);
    if (other !== undefined) throw other;
    const changed = difference(this.last, tunnels);
    this.last = tunnels;
    return { tunnels, missing, changed };
  }
}
