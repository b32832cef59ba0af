/** Droplets exist as config.cfg names them, and hosts.ini has their addresses. */
import { EXIT, Fault, paint } from '../cli.ts';
import type { Config } from '../config.ts';
import type { CloudApi } from '../digitalocean/api.ts';
import { doubles, splitOwn } from '../digitalocean/own.ts';
import { openSaved, type Saved } from '../digitalocean/saved.ts';
import { isUp } from '../digitalocean/wait.ts';
import { requireWritable } from '../files.ts';
import { findHost } from '../inventory.ts';
import { type StatusLine, statusLine } from '../progress.ts';
import { meetStrangers } from '../transport/first-use.ts';
import { knownHostsOf } from '../transport/login.ts';
import { aloneWith, type CloudOptions, openAccount } from './cloud.ts';
import { asFault, makeAll, type Outcomes } from './making.ts';
import {
  type Arrived,
  forgetHosts,
  inventoryText,
  type Target,
  targetsOf,
  worst,
  writeHosts,
} from './own-hosts.ts';
import { planLines, recap, troubleLines } from './plan-lines.ts';
import { reach } from './reaching.ts';
import { readConfig } from './read-config.ts';
import type { DropletDocument } from './set-up-json.ts';
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
  /** Droplets that set-up could not reach yet, in check mode. */
  missing: number;
}

/** Takes the adopted on record: they are this hosts.ini's from now on. */
function recordAdopted({ plan }: Survey, saved: Saved): void {
  for (const { wanted, droplet } of plan.adopt) {
    const { name, group, region } = wanted;
    const before = saved.find(name);
    if (before?.id === droplet.id) continue;
    const former = before?.address === undefined ? {} : { address: before.address };
    saved.put({ name, group, region, asked: droplet.created, id: droplet.id, seen: true, ...former });
  }
}

/** Makes what is missing, and waits for what is not up yet; by name, what came of each. */
async function make(
  api: CloudApi,
  config: Config,
  saved: Saved,
  { plan, wanted, sshKey, droplets }: Survey,
  status: StatusLine,
): Promise<Outcomes> {
  const adopted = plan.adopt.map(({ droplet }) => droplet);
  const awaited = adopted
    .filter((droplet) => !isUp(droplet))
    .map(({ name, id }) => ({ name, id, action: saved.find(name)?.action }));
  const outcomes = await makeAll(plan.create, awaited, wanted, {
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

/** What was made is told also where hosts.ini cannot be written: it costs money. */
function afterMaking<T>(outcomes: Outcomes, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const there = [...outcomes].flatMap(([name, one]) =>
      one instanceof Fault ? [] : [`${name} (${one.id})`],
    );
    throw new Fault({
      what: `${error.message}; the droplets ${there.join(', ')} are there, and on record`,
      next: `${error.next === undefined ? 'mend that' : error.next}; then run the same command again`,
      code: EXIT.failed,
    });
  }
}

/** Nobody but us should have made one of the same name meanwhile; if somebody has, both are billed. */
async function doubled(api: CloudApi, { tag }: Config, saved: Saved): Promise<Fault[]> {
  const { own } = splitOwn(await api.droplets(), tag, saved.entries);
  return doubles(own).map(({ name, region, ids }) => {
    const recorded = saved.find(name)?.id;
    const others = ids.filter((id) => id !== recorded);
    return new Fault({
      at: name,
      what: `${ids.length} droplets of this project have this name in ${region} (${ids.join(', ')})`,
      next: `delete ${others.length === 1 ? 'the other' : 'the others'}: npx zx scripts/teardown.ts --limit ${others.join(' ')}`,
      code: EXIT.failed,
    });
  });
}

async function carryOut(
  api: CloudApi,
  config: Config,
  saved: Saved,
  found: Survey,
  options: ProvisionOptions,
  status: StatusLine,
  onPresent: (droplet: DropletDocument) => void,
): Promise<number> {
  const { inventory } = options;
  await meetStrangers(strangersIn(found, saved, inventory), options);
  if (found.plan.create.length > 0) {
    requireWritable(inventory);
    requireWritable(knownHostsOf(inventory));
    saved.write();
  }
  if (found.account?.id !== undefined) saved.bind(found.account.id);
  recordAdopted(found, saved);
  const outcomes = await make(api, config, saved, found, status);
  const created = new Set(found.plan.create.map(({ name }) => name));
  for (const [name, one] of outcomes) {
    status.set(name, undefined);
    if (one instanceof Fault) continue;
    onPresent({ name, id: one.id, address: one.address ?? null, made: created.has(name) });
  }

  const { changed, targets } = afterMaking(outcomes, () => {
    const left = forgetHosts(inventory, found.gone);
    for (const { name } of found.gone) saved.drop(name);
    const written = writeHosts(inventory, arrivedOf(found, outcomes), saved, options.acceptNew);
    return { ...written, changed: [...left, ...written.changed] };
  });
  for (const line of changed) status.print([`${paint.yellow('changed:')} [${inventory}] ${line}`]);

  const faults = new Map([...outcomes].filter((one): one is [string, Fault] => one[1] instanceof Fault));
  for (const [name, fault] of await reachAll(targets, options, config.waitTimeout, status))
    faults.set(name, fault);
  const twice =
    found.plan.create.length === 0
      ? []
      : await doubled(api, config, saved).catch((error) => [asFault(error)]);
  for (const [name, fault] of faults) status.print(troubleLines(name, fault));
  for (const fault of twice) status.print(troubleLines(config.tag, fault));
  recap(found, faults);
  return worst([...faults.values(), ...twice]);
}

/** Of those that are wanted, how many set-up could not reach yet: to be made, not up, or not in hosts.ini. */
function missingOf({ plan }: Survey, inventory: string): number {
  const text = inventoryText(inventory);
  const late = plan.adopt.filter(
    ({ wanted: { name }, droplet }) =>
      !isUp(droplet) || findHost(text, inventory, name)?.address !== droplet.address,
  );
  return plan.create.length + late.length;
}

/** Makes what is missing, writes hosts.ini, waits until every droplet can be set up. `onPresent`: told of each that is there. */
export async function provision(
  options: ProvisionOptions,
  onPresent: (droplet: DropletDocument) => void = () => {},
): Promise<Provisioned> {
  const status = statusLine();
  try {
    const config = readConfig(options.config, options, 'droplets');
    const account = openAccount(config, options, status);
    return await aloneWith(options.inventory, account, async () => {
      const saved = openSaved(options.inventory);
      const found = await survey(account.api, config, saved, options, () =>
        status.set('DigitalOcean', undefined),
      );
      status.set('DigitalOcean', undefined);
      status.print(planLines(found.plan, found.sizes, config.tag, found.idle));
      if (options.check) return { code: EXIT.ok, missing: missingOf(found, options.inventory) };
      const code = await carryOut(account.api, config, saved, found, options, status, onPresent);
      return { code, missing: 0 };
    });
  } finally {
    status.end();
  }
}
