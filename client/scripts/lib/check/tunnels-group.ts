/** The tunnels of this machine: state, answers, exits, and packet sizes. */
import { judgeAddresses, judgeNoWg0 } from './addresses.ts';
import { notLetIn } from './door-into.ts';
import { exits, hostOf, PROGRAMS } from './exits.ts';
import { type Machine, tunnelsOf } from './machine.ts';
import { fitting, hopOf, judgeSize, LEAST_FOR_QUIC, largestInside, pathMtu, type Size } from './mtu.ts';
import { pathEndpoints } from './rules-group.ts';
import { currentPath } from './tables.ts';
import { installLine, Missing } from './tools.ts';
import {
  answerLeftOut,
  type Far,
  farEnd,
  judgeAnswer,
  judgeTunnel,
  takesAnswers,
  tunnelStates,
} from './tunnels.ts';
import { type Finding, leftOut, SET_UP } from './verdict.ts';

/** Who answered, by tunnel. */
export type Answers = Map<string, Far>;

/** Without a program, the line that it is for is left out. */
function missingAt(id: string, what: string, error: unknown): Finding {
  if (error instanceof Missing) return leftOut(id, what, error.message, installLine(error.program));
  throw error;
}

/** The second group, and who answered. `url`: a page that prints the caller's address. */
export async function tunnelsGroup(
  machine: Machine,
  url: string | undefined,
): Promise<{ findings: Finding[]; answers: Answers }> {
  const { mode, tcp, paths, links, routes, endpoints, devices, door } = machine;
  const quic = mode === 'quic';
  const names = tunnelsOf(machine);
  const answers: Answers = new Map();
  const takes = takesAnswers();
  const asked = await Promise.all(
    names.map(async (name) => {
      try {
        if (name !== 'wg0' && !takes) return () => answerLeftOut(name);
        const far = await farEnd(name);
        if (far !== undefined) answers.set(name, far);
        return (own?: string) => judgeAnswer(name, far, own);
      } catch (error) {
        const missing = missingAt(`answer-${name}`, `what is behind ${name}`, error);
        return () => missing;
      }
    }),
  );
  const hosts = new Map([...endpoints].map(([name, endpoint]) => [name, hostOf(endpoint)]));
  const own = devices.flatMap(({ address }) => (address === undefined ? [] : [address]));
  // Read after the packets that may have made a handshake.
  const states = tunnelStates(names, links).map(judgeTunnel);
  // Where setup.sh mends the tunnel, or what lets into it, its server need not be at fault.
  const shut = quic && door !== undefined && notLetIn(door, false).length > 0;
  const answered = asked.map((judge, i) => judge(shut || states[i]?.remedy === SET_UP ? SET_UP : undefined));
  const current = quic ? hosts.get(currentPath(routes[4]) ?? '') : undefined;
  if (current !== undefined) hosts.set(PROGRAMS, current);
  const ways = quic ? [...names, PROGRAMS] : names;
  const out = await exits(ways, url, { hosts, own, http3: quic && tcp === 'none' });
  const further = quic ? [...judgeNoWg0(links), judgeAddresses(paths, links)] : [];
  return { findings: [...states, ...answered, ...further, ...out], answers };
}

/** MTU and way of each tunnel, for {@link judgeSize}. */
interface Way {
  name: string;
  host: string;
  mtu: number | undefined;
  /** Bytes that the way to the proxy takes. */
  below: number | undefined;
}

function waysOf(machine: Machine): Way[] {
  const mtuOf = (name: string): number | undefined =>
    machine.links.find(({ ifname }) => ifname === name)?.mtu;
  const endpoints = pathEndpoints(machine);
  return machine.paths.map((name) => {
    const host = hostOf(endpoints.get(name) ?? '');
    return { name, host, mtu: mtuOf(name), below: host === '' ? undefined : pathMtu(host, mtuOf) };
  });
}

/** The sizes of all tunnels, wg0's last. */
export async function sizes(machine: Machine, answers: Answers): Promise<Finding[]> {
  const mtuOf = (name: string): number | undefined =>
    machine.links.find(({ ifname }) => ifname === name)?.mtu;
  const names = tunnelsOf(machine);
  const missing: Finding[] = [];
  const passed = await Promise.all(
    names.map(async (name) => {
      const [inside, mtu] = [answers.get(name)?.inside, mtuOf(name)];
      try {
        return inside === undefined || mtu === undefined ? undefined : await largestInside(name, inside, mtu);
      } catch (error) {
        missing.push(missingAt(`mtu-${name}`, `MTU of ${name}`, error));
        return undefined;
      }
    }),
  );
  // Only now does the kernel know what the routers on the way take: packets as large as these had to be refused first.
  const ways = waysOf(machine);
  const smallest = Math.min(...ways.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu])));
  const measured: Size[] = ways.map(({ name, host, mtu, below }, i) => ({
    ...{ name, mtu, below, whole: passed[i], hop: hopOf(host) },
    least: machine.mode === 'quic' ? LEAST_FOR_QUIC : undefined,
  }));
  const below = Number.isFinite(smallest) ? smallest : undefined;
  if (names.includes('wg0'))
    measured.push({ name: 'wg0', mtu: mtuOf('wg0'), whole: passed.at(-1), below, hop: hopOf('') });
  const fits = fitting(measured);
  return measured.map((size) => missing.find(({ id }) => id === `mtu-${size.name}`) ?? judgeSize(size, fits));
}
