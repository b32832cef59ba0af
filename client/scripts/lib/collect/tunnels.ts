/** The tunnels as they are on this machine, and whether they answer. */
import { EXIT, Fault } from '../fault.ts';
import { isTunnel } from '../interfaces.ts';
import { askIp } from '../ip.ts';
import type { Mode } from '../modes.ts';
import { ask, Tool } from '../process.ts';
import { answersBeyond, beyond, isBeyond } from './beyond.ts';

const SET_UP = '/etc/wireguard/setup.sh';

export interface Tunnel {
  interface: string;
  /** The client's address inside. */
  client_address: string;
  /** Of the proxy, as `wg show` prints it: `192.0.2.11:51820`, `[2001:db8::1]:51820`. */
  endpoint: string;
  mtu: number;
}

interface Address {
  ifname: string;
  mtu: number;
  addr_info: { family: string; local: string; scope: string }[];
}

/** The endpoint of a tunnel in what `wg show all endpoints` printed; undefined where there is none. */
export function endpointIn(text: string, name: string): string | undefined {
  const rows = text.split('\n').map((line) => line.split('\t'));
  return rows.find(([device, , endpoint = '']) => device === name && /:\d+$/.test(endpoint))?.[2];
}

/** Those of these tunnels that are set up, in what `ip -j address` and `wg show all endpoints` printed. */
export function tunnelsIn(names: readonly string[], links: string, endpoints: string): Tunnel[] {
  const all = JSON.parse(links) as Partial<Address>[];
  return names.flatMap((name) => {
    const link = all.find(({ ifname }) => ifname === name);
    const address = link?.addr_info?.find(({ family }) => family === 'inet')?.local;
    const endpoint = endpointIn(endpoints, name);
    if (link?.mtu === undefined || address === undefined || endpoint === undefined) return [];
    return [{ interface: name, client_address: address, endpoint, mtu: link.mtu }];
  });
}

/** Facts of these tunnels as they are now, without those that are not set up. */
export function presentTunnels(names: readonly string[]): Tunnel[] {
  const endpoints = ask(['wg', 'show', 'all', 'endpoints'], 'apt-get install wireguard-tools');
  return tunnelsIn(names, askIp('-j', 'address'), endpoints);
}

/** Facts of these tunnels; throws a Fault where one is not set up. */
export function tunnelsOf(names: readonly string[]): Tunnel[] {
  const tunnels = presentTunnels(names);
  const missing = names.find((name) => !tunnels.some((tunnel) => tunnel.interface === name));
  if (missing === undefined) return tunnels;
  throw new Fault({ at: missing, what: 'has no address, or no peer with an endpoint', next: SET_UP });
}

/** Asks every 0.3 s until the first answer, for two seconds at most. */
const PATIENT = ['-c', '1', '-i', '0.3', '-w', '2'];

async function ping(words: readonly string[]): Promise<{ good: boolean; text: string }> {
  let text = '';
  const tool = new Tool(['ping', '-n', ...words], (piece) => {
    text += piece;
  });
  const { code } = await tool.ended;
  if (code === 127) throw new Fault({ what: 'cannot run ping', next: 'apt-get install iputils-ping' });
  return { good: code === 0, text: text + tool.said };
}

/**
 * What goes through all of the network, by whichever path is the current one: to the comp server, or in mode quic as far
 * as that path itself, which is asked by its own name.
 */
const WHOLE: Readonly<Record<Mode, string>> = { wireguard: 'wg0', quic: 'the way of all programs' };

/** An address of which only the way there is asked (RFC 5737). */
const ANYWHERE = '192.0.2.1';

/** Whether what goes out by an interface goes the way that a mode has for it. */
export const isIn = (mode: Mode, device = ''): boolean =>
  mode === 'quic' ? isTunnel(device) : device === WHOLE.wireguard;

/** Whether a program's packets go into the tunnels, by this machine's own rules and tables; sends nothing. */
function leadsIn(mode: Mode): boolean {
  try {
    const [route] = JSON.parse(askIp('-j', 'route', 'get', ANYWHERE)) as { dev?: string }[];
    return isIn(mode, route?.dev);
  } catch {
    return false;
  }
}

/**
 * Asks each proxy by the way of its tunnel alone whether it is there, and the comp server by the way of all programs. In
 * mode quic the way of all programs must lead into a tunnel, and what each proxy leads to is asked too, the resolver: one
 * that forwards nothing any more is none that pages are asked for by.
 */
export class Probe {
  private readonly inside = new Map<string, string>();
  private readonly names: readonly string[];
  private readonly mode: Mode;
  private good = Number.NEGATIVE_INFINITY;

  constructor(names: readonly string[], mode: Mode = 'wireguard') {
    [this.names, this.mode] = [names, mode];
  }

  /** Milliseconds since all of them last answered. */
  goodFor(): number {
    return performance.now() - this.good;
  }

  /** Forgets what it knows: the tunnels are others now. */
  forget(): void {
    this.inside.clear();
    this.good = Number.NEGATIVE_INFINITY;
  }

  /**
   * What does not answer, none is good: tunnels by name, {@link beyond} one whose proxy answers; the whole only where all
   * others do, as it goes through one of them. Sends packets through each tunnel, so not during a capture.
   */
  async silent(): Promise<string[]> {
    const whole = WHOLE[this.mode];
    const all = [...this.names, whole];
    const found = await Promise.all(all.map((name) => this.silence(name)));
    const silent = found.filter((name) => name !== undefined);
    this.good = silent.length === 0 ? performance.now() : Number.NEGATIVE_INFINITY;
    const paths = silent.filter((name) => name !== whole);
    return paths.length > 0 ? paths : silent;
  }

  /** What is silent of one; undefined where nothing is. */
  private async silence(name: string): Promise<string | undefined> {
    const further = this.mode === 'quic' && name !== WHOLE.quic;
    const [there, leads] = await Promise.all([this.answers(name), further ? answersBeyond(name) : true]);
    if (!there) return name;
    return leads ? undefined : beyond(name);
  }

  private async answers(name: string): Promise<boolean> {
    if (name === WHOLE[this.mode]) {
      const leads = leadsIn(this.mode);
      if (!leads || this.mode === 'quic') return leads;
    }
    const inside = this.inside.get(name) ?? (await this.find(name));
    if (inside === undefined) return false;
    const { good } = await ping([...PATIENT, '-I', name, inside]);
    // It may have another one by now.
    if (!good) this.inside.delete(name);
    return good;
  }

  /** The server's address inside: the one that a packet without time to live is refused by. */
  private async find(name: string): Promise<string | undefined> {
    const { text } = await ping([...PATIENT, '-t', '1', '-I', name, ANYWHERE]);
    const from = /From (\S+?):? icmp_seq=\d+ Time to live exceeded/.exec(text)?.[1];
    if (from !== undefined) this.inside.set(name, from);
    return from;
  }
}

/** How to mend what is silent. */
function mending(silent = ''): string {
  if (isBeyond(silent))
    return 'its proxy answers, and nothing behind it: npx zx scripts/wgnet-setup.ts mends its forwarding and NAT';
  const look = silent === WHOLE.quic ? 'ip -4 rule; ip route show table 51821' : `wg show ${silent}`;
  return `mend the tunnel (${look}; ${SET_UP})`;
}

/** What ends a run whose network is gone. */
export const networkGone = (silent: readonly string[], what: string): Fault =>
  new Fault({
    what: `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer; ${what}`,
    next: `${mending(silent[0])}, then the same command again`,
    code: EXIT.unreachable,
  });
