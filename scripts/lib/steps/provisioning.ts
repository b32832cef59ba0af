/** Droplets exist as config.cfg names them, and hosts.ini has their addresses. */
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import type { CloudApi, Droplet } from '../digitalocean/api.ts';
import { openSaved, type Saved } from '../digitalocean/saved.ts';
import { type StatusLine, statusLine } from '../progress.ts';
import { countLines } from '../runner/report.ts';
import { meetStrangers } from '../transport/first-use.ts';
import { aloneWith, type CloudOptions, openApi, readConfig } from './cloud.ts';
import { makeAll, type Outcomes } from './making.ts';
import { type Arrived, forgetHosts, type Target, targetsOf, worst, writeHosts } from './own-hosts.ts';
import { planLines } from './plan-lines.ts';
import { reach } from './reaching.ts';
import { type Survey, survey } from './surveying.ts';

export interface ProvisionOptions extends CloudOptions {
  /** Only say what would be made, and what it costs. */
  check: boolean;
  /** Take the host keys of droplets that this machine did not make. */
  acceptNew: boolean;
  /** Seconds for one SSH connection. */
  timeout: number;
}

export interface Provisioned {
  code: number;
  /** Droplets that are not there yet, in check mode. */
  missing: number;
}

/** Takes the adopted on record: they are this hosts.ini's from now on. */
function recordAdopted({ plan }: Survey, saved: Saved): void {
  for (const { wanted, droplet } of plan.adopt) {
    const { name, group, region } = wanted;
    const before = saved.find(name);
    if (before?.id === droplet.id) continue;
    const former = before?.address === undefined ? {} : { address: before.address };
    saved.put({ name, group, region, asked: droplet.created, id: droplet.id, ...former });
  }
}

const isUp = ({ status, address }: Droplet): boolean => status === 'active' && address !== undefined;

/** Makes what is missing, and waits for what is not up yet; by name, what came of each. */
async function make(
  api: CloudApi,
  config: Config,
  saved: Saved,
  { plan, sshKey, droplets }: Survey,
  status: StatusLine,
): Promise<Outcomes> {
  const adopted = plan.adopt.map(({ droplet }) => droplet);
  const awaited = adopted
    .filter((droplet) => !isUp(droplet))
    .map(({ name, id }) => ({ name, id, action: saved.find(name)?.action }));
  const outcomes = await makeAll(plan.create, awaited, {
    api,
    saved,
    tag: config.tag,
    sshKey: sshKey ?? '',
    timeout: config.waitTimeout,
    known: new Set(droplets.map(({ id }) => id)),
    onStep: status.set,
    say: (name, line) => status.print([`${paint.yellow('changed:')} [${name}] ${line}`]),
  });
  for (const droplet of adopted.filter(isUp)) outcomes.set(droplet.name, droplet);
  return outcomes;
}

/** Those that are up, in the order of config.cfg. */
const arrivedOf = ({ wanted }: Survey, outcomes: Outcomes): Arrived[] =>
  wanted.flatMap((one) => {
    const droplet = outcomes.get(one.name);
    if (droplet === undefined || droplet instanceof Fault || droplet.address === undefined) return [];
    return [{ wanted: one, droplet: { ...droplet, address: droplet.address } }];
  });

async function reachAll(
  targets: readonly Target[],
  options: ProvisionOptions,
  patience: number,
  status: StatusLine,
): Promise<Map<string, Fault>> {
  const failed = new Map<string, Fault>();
  await Promise.all(
    targets.map(async (target) => {
      const onStep = (what: string | undefined): void => status.set(target.name, what);
      const fault = await reach(target, { ...options, patience, onStep });
      onStep(undefined);
      if (fault !== undefined) failed.set(target.name, fault);
      else
        status.print([
          `${paint.green('ok:')} [${target.name}] ${target.address} answers, its first boot is over`,
        ]);
    }),
  );
  return failed;
}

function troubleLines(name: string, { code, message, next }: Fault): string[] {
  const kind = code === EXIT.unreachable ? 'unreachable' : 'failed';
  return [
    `${paint.red(`${kind}:`)} [${name}] ${message.replaceAll('\n', '\n      ')}`,
    ...(next === undefined ? [] : [`      next: ${next}`]),
  ];
}

function recap({ wanted, plan }: Survey, faults: ReadonlyMap<string, Fault>): void {
  console.log(`\n${paint.bold('RECAP')}`);
  const created = new Set(plan.create.map(({ name }) => name));
  const rows = wanted.map(({ name }) => {
    const fault = faults.get(name);
    const unreachable = fault?.code === EXIT.unreachable;
    return {
      name,
      counts: {
        ok: fault === undefined ? 1 : 0,
        changed: fault === undefined && created.has(name) ? 1 : 0,
        unreachable: unreachable ? 1 : 0,
        failed: fault !== undefined && !unreachable ? 1 : 0,
      },
    };
  });
  for (const line of countLines(rows)) console.log(line);
}

/** Droplets that are up and were not made from here, so that no key of theirs is pinned: a person is asked. */
const strangersIn = ({ plan }: Survey, saved: Saved, inventory: string): Target[] =>
  targetsOf(
    inventory,
    plan.adopt.flatMap(({ wanted: { name, group }, droplet: { id, address } }) => {
      const { id: recorded, hostKey } = saved.find(name) ?? {};
      const pinned = recorded === id && hostKey !== undefined;
      return address === undefined || pinned ? [] : [{ name, group, address }];
    }),
  );

async function carryOut(
  api: CloudApi,
  config: Config,
  saved: Saved,
  found: Survey,
  options: ProvisionOptions,
  status: StatusLine,
): Promise<Provisioned> {
  const { inventory } = options;
  await meetStrangers(strangersIn(found, saved, inventory), options);
  recordAdopted(found, saved);
  const outcomes = await make(api, config, saved, found, status);
  for (const [name] of outcomes) status.set(name, undefined);

  const arrived = arrivedOf(found, outcomes);
  const left = forgetHosts(inventory, found.gone);
  for (const { name } of found.gone) saved.drop(name);
  const { changed, targets } = writeHosts(inventory, arrived, saved);
  for (const line of [...left, ...changed])
    status.print([`${paint.yellow('changed:')} [${inventory}] ${line}`]);

  const faults = new Map([...outcomes].filter((one): one is [string, Fault] => one[1] instanceof Fault));
  for (const [name, fault] of await reachAll(targets, options, config.waitTimeout, status))
    faults.set(name, fault);
  for (const [name, fault] of faults) status.print(troubleLines(name, fault));
  recap(found, faults);
  return { code: worst([...faults.values()]), missing: 0 };
}

/** Makes what is missing, writes hosts.ini, waits until every droplet can be set up. */
export async function provision(options: ProvisionOptions): Promise<Provisioned> {
  const status = statusLine();
  const config = readConfig(options.config);
  const api = openApi(config, options, (line) => status.set('DigitalOcean', line));
  return aloneWith(options.inventory, async () => {
    const saved = openSaved(options.inventory);
    const found = await survey(api, config, saved, options);
    status.print(planLines(found.plan, found.sizes, config.tag));
    status.set('DigitalOcean', undefined);
    if (options.check) return { code: EXIT.ok, missing: found.plan.create.length };
    return carryOut(api, config, saved, found, options, status);
  });
}
