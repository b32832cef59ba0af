/** The whole check, group by group. */
import { atEnd } from '../command.ts';
import { makeScratch, remove } from '../folders.ts';
import { type Mode, modeFault } from '../mode.ts';
import { carryOut, type Drill, DrillMigrator, drillsFor, MIGRATOR } from './drills.ts';
import { hostOf } from './exits.ts';
import { linksNow, type Machine, readMachine, routesNow, tunnelsOf } from './machine.ts';
import { judgeFragments } from './mtu.ts';
import type { Leak } from './packets.ts';
import { untilAsked } from './pending.ts';
import { probesFor, sendAll } from './probes.ts';
import { judgeEnd, probesGroup } from './probes-group.ts';
import { Changes, SCRATCH } from './put-back.ts';
import { splitTables } from './rules.ts';
import { pathEndpoints, resolverOf, rulesGroup } from './rules-group.ts';
import { currentPath } from './tables.ts';
import { type Answers, sizes, tunnelsGroup } from './tunnels-group.ts';
import { busy, Turn } from './turn.ts';
import { type Check, type Finding, type Group, groupOf } from './verdict.ts';
import { Watch } from './watch.ts';

export interface Wish {
  /** Addresses that probes are sent to. */
  targets: readonly string[];
  exitUrl?: string | undefined;
  gentle: boolean;
  /** The mode that somebody takes this client to be in. */
  mode?: Mode | undefined;
}

export interface Outcome {
  mode: Mode;
  /** Real interfaces. */
  devices: string[];
  tunnels: string[];
  checks: Check[];
  leaks: Leak[];
}

const SPLIT = 'a kernel split is in force here, which a migrate.ts would end';
const BLIND = 'the capture is blind';
/** An address that a tunnel is asked for whose far end is not known: only that something goes into it counts. */
const ANYWHERE = '192.0.2.1';

/** Why nothing may be interrupted here; undefined where it may. */
const whyGentle = async (gentle: boolean): Promise<string | undefined> =>
  gentle ? '--gentle: it would interrupt the traffic for a moment' : busy();

const isSplit = ({ rules, split }: Machine): boolean => splitTables(rules[4]).length > 0 || split.length > 0;

const drillsNow = (machine: Machine): Drill[] =>
  drillsFor({ ...machine, links: linksNow(), routes: routesNow() });

/**
 * A server's address inside by which it is seen that programs' traffic flows, and ping's options for their way: undefined
 * where none answers.
 */
function wayOf({ mode, routes }: Machine, answers: Answers): [inside: string | undefined, by: string[]] {
  if (mode === 'wireguard') return [answers.get('wg0')?.inside, ['-I', 'wg0']];
  // All servers have the same one inside: whichever path is the current one.
  return [answers.get(currentPath(routes[4]) ?? '')?.inside, []];
}

/** Carries it out; `show` gets each line as soon as it is known. */
export async function check(
  { targets, exitUrl, gentle, mode }: Wish,
  show: (group: Group, findings: Finding[]) => void,
): Promise<Outcome> {
  const machine = readMachine();
  const refusal = modeFault(mode, machine.mode);
  if (refusal !== undefined) throw refusal;
  const devices = machine.devices.map(({ name }) => name);
  const checks: Check[] = [];
  const leaks: Leak[] = [];
  const add = (group: Group, findings: Finding[]): void => {
    checks.push(...groupOf(group, findings));
    show(group, findings);
  };

  const folder = makeScratch(`${SCRATCH}${process.pid}-`);
  const spared = await whyGentle(gentle);
  // Its start takes a while; the work up to its drill goes on meanwhile.
  const changes = new Changes();
  const migrator = spared === undefined && !isSplit(machine) ? new DrillMigrator() : undefined;
  const tidy = atEnd(async () => {
    await migrator?.kill();
    changes.end();
    remove(folder);
  });

  add('rules', await rulesGroup(machine, targets));
  const { findings, answers } = await tunnelsGroup(machine, exitUrl);
  add('tunnels', findings);

  const own = pathEndpoints(machine);
  const inside = new Map([...own.keys()].map((name) => [name, answers.get(name)?.inside ?? ANYWHERE]));
  const watch = new Watch({
    ...{ folder, devices, inside },
    endpoints: [...own.values()],
    published: machine.published,
    neighbours: [...machine.neighbours, ...[...own.values()].map(hostOf)],
  });
  await untilAsked(devices);
  await watch.open();
  const probes = probesFor({
    devices: machine.devices,
    resolver: resolverOf(machine),
    targets,
    ipv6: machine.ipv6,
    tunnelPort: Number(/:(\d+)$/.exec([...own.values()][0] ?? '')?.[1] ?? 51820),
  });
  const probed = await probesGroup(watch, probes, devices);
  add('probes', probed.findings);

  const measured = await sizes(machine, answers);
  const beside = await watch.news();
  add('mtu', [...measured, judgeFragments([...probed.fragments, ...beside.fragments], watch.blind)]);
  leaks.push(...probed.leaks, ...beside.leaks);

  const [far, by] = wayOf(machine, answers);
  const why = spared ?? (far === undefined ? 'nothing flows as it is' : watch.blind && BLIND);
  const turn = new Turn(migrator);
  for (const { id, what } of drillsFor(machine)) {
    const own = id === MIGRATOR && migrator === undefined ? SPLIT : undefined;
    const without = why ?? own ?? (await turn.refused());
    // As it is now: somebody may have switched meanwhile, and what is put back must be what there was.
    const drill =
      without === undefined ? drillsNow(machine).find((each) => each.id === id) : { id, what, without };
    if (drill === undefined) continue;
    const probe = () => sendAll(probes);
    const done = await carryOut(drill, { changes, watch, migrator, turn, inside: far ?? '', by, probe });
    add('drills', [done.finding]);
    leaks.push(...done.leaks);
  }
  const last = await watch.news();
  leaks.push(...last.leaks);
  await watch.close();
  add('drills', [judgeEnd(watch.blind, [...beside.leaks, ...last.leaks])]);
  await tidy();
  return { mode: machine.mode, devices, tunnels: tunnelsOf(machine), checks, leaks };
}
