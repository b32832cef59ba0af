/** The tunnels as they are on this machine, and whether they answer. */
import { EXIT, Fault } from '../fault.ts';
import { askIp } from '../ip.ts';
import { ask, Tool } from '../process.ts';

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

/** The endpoint in what `wg show NAME endpoints` printed; undefined where there is none. */
export const endpointIn = (text: string): string | undefined => /^\S+\t(\S+:\d+)$/m.exec(text)?.[1];

function tunnel(name: string): Tunnel {
  const [link] = JSON.parse(askIp('-j', 'address', 'show', 'dev', name)) as Address[];
  const address = link?.addr_info.find(({ family }) => family === 'inet')?.local;
  const endpoint = endpointIn(ask(['wg', 'show', name, 'endpoints'], 'apt-get install wireguard-tools'));
  if (link === undefined || address === undefined || endpoint === undefined)
    throw new Fault({ at: name, what: `has no ${address === undefined ? 'address' : 'peer'}`, next: SET_UP });
  return { interface: name, client_address: address, endpoint, mtu: link.mtu };
}

/** Facts of these tunnels; throws a Fault where one is not set up. */
export const tunnelsOf = (names: readonly string[]): Tunnel[] => names.map(tunnel);

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

/** What goes through all of the network: to the comp server, by whichever path is the current one. */
const WHOLE = 'wg0';

/** An address of which only the way there is asked (RFC 5737). */
const ANYWHERE = '192.0.2.1';

/** Whether a program's packets go into wg0, by this machine's own rules and tables; sends nothing. */
function leadsIn(): boolean {
  try {
    const [route] = JSON.parse(askIp('-j', 'route', 'get', ANYWHERE)) as { dev?: string }[];
    return route?.dev === WHOLE;
  } catch {
    return false;
  }
}

/** Asks each proxy by the way of its tunnel alone whether it is there, and the comp server by the way of all programs. */
export class Probe {
  private readonly inside = new Map<string, string>();
  private readonly names: readonly string[];
  private good = Number.NEGATIVE_INFINITY;

  constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Milliseconds since all of them last answered. */
  goodFor(): number {
    return performance.now() - this.good;
  }

  /**
   * The tunnels that do not answer, none is good; wg0 only where all others do, as it goes through one of them. Sends
   * packets through each tunnel, so not during a capture.
   */
  async silent(): Promise<string[]> {
    const all = [...this.names, WHOLE];
    const answers = await Promise.all(all.map((name) => this.answers(name)));
    const silent = all.filter((_, i) => !answers[i]);
    this.good = silent.length === 0 ? performance.now() : Number.NEGATIVE_INFINITY;
    const paths = silent.filter((name) => name !== WHOLE);
    return paths.length > 0 ? paths : silent;
  }

  private async answers(name: string): Promise<boolean> {
    if (name === WHOLE && !leadsIn()) return false;
    const inside = this.inside.get(name) ?? (await this.find(name));
    if (inside === undefined) return false;
    const { good } = await ping([...PATIENT, '-I', name, inside]);
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

/** What ends a run whose network is gone. */
export const networkGone = (silent: readonly string[], what: string): Fault =>
  new Fault({
    what: `${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer; ${what}`,
    next: `mend the tunnel (wg show ${silent[0]}; ${SET_UP}), then the same command again`,
    code: EXIT.unreachable,
  });
