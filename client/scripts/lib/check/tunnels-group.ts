/** The tunnels of this machine: state, answers, exits, and packet sizes. */
import { exits, hostOf } from './exits.ts';
import type { Machine } from './machine.ts';
import { hopOf, judgeSize, largestInside, pathMtu } from './mtu.ts';
import { pathEndpoints } from './rules-group.ts';
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
import { type Finding, leftOut } from './verdict.ts';

/** Who answered, by tunnel. */
export type Answers = Map<string, Far>;

/** Without a program, the line that it is for is left out. */
async function orMissing(id: string, what: string, work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Missing) return leftOut(id, what, error.message, installLine(error.program));
    throw error;
  }
}

/** The second group, and who answered. `url`: a page that prints the caller's address. */
export async function tunnelsGroup(
  { paths, links, endpoints, devices }: Machine,
  url: string | undefined,
): Promise<{ findings: Finding[]; answers: Answers }> {
  const names = [...paths, 'wg0'];
  const answers: Answers = new Map();
  const takes = takesAnswers();
  const answered = await Promise.all(
    names.map((name) =>
      orMissing(`answer-${name}`, `what is behind ${name}`, async () => {
        if (name !== 'wg0' && !takes) return answerLeftOut(name);
        const far = await farEnd(name);
        if (far !== undefined) answers.set(name, far);
        return judgeAnswer(name, far);
      }),
    ),
  );
  const hosts = new Map([...endpoints].map(([name, endpoint]) => [name, hostOf(endpoint)]));
  const own = devices.flatMap(({ address }) => (address === undefined ? [] : [address]));
  // Read after the packets that may have made a handshake.
  const states = tunnelStates(names, links).map(judgeTunnel);
  return { findings: [...states, ...answered, ...(await exits(names, url, { hosts, own }))], answers };
}

/** MTU and way of each tunnel, for {@link judgeSize} and for pieces that were seen. */
export interface Way {
  name: string;
  host: string;
  mtu: number | undefined;
  /** Bytes that the way to the proxy takes. */
  below: number | undefined;
}

export function waysOf(machine: Machine): Way[] {
  const mtuOf = (name: string): number | undefined =>
    machine.links.find(({ ifname }) => ifname === name)?.mtu;
  const endpoints = pathEndpoints(machine);
  return machine.paths.map((name) => {
    const host = hostOf(endpoints.get(name) ?? '');
    return { name, host, mtu: mtuOf(name), below: host === '' ? undefined : pathMtu(host, mtuOf) };
  });
}

/** The sizes of all tunnels, wg0's last. */
export async function sizes({ links }: Machine, ways: readonly Way[], answers: Answers): Promise<Finding[]> {
  const measure = (
    name: string,
    mtu: number | undefined,
    below: number | undefined,
    hop: number,
    text: string,
  ) =>
    orMissing(`mtu-${name}`, `MTU of ${name}`, async () => {
      const inside = answers.get(name)?.inside;
      const whole =
        inside === undefined || mtu === undefined ? undefined : await largestInside(name, inside, mtu);
      return judgeSize({ name, mtu, whole, below, hop }, text);
    });
  const smallest = Math.min(...ways.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu])));
  const wg0 = links.find(({ ifname }) => ifname === 'wg0')?.mtu;
  return Promise.all([
    ...ways.map(({ name, host, mtu, below }) =>
      measure(name, mtu, below, hopOf(host), 'the way to its proxy'),
    ),
    measure('wg0', wg0, Number.isFinite(smallest) ? smallest : undefined, hopOf(''), 'the smallest wgnetN'),
  ]);
}
