/** A droplet's life behind the answers: its machine boots, addresses come, it becomes active; and it goes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { paceOf } from './catalogue.ts';
import type { Fate } from './faults.ts';
import type { ActionRecord, DropletRecord, Store } from './store.ts';
import type { Delays, MachineOrder, Machines, Power } from './types.ts';

export const USUAL_DELAYS: Delays = { active: 1.5, address: 0.5, gone: 1 };

export interface Life {
  begin(droplet: DropletRecord, action: ActionRecord, order: MachineOrder, fates: ReadonlySet<Fate>): void;
  /** Whether it is being made, switched or deleted: nothing else can begin then. */
  isPending(droplet: DropletRecord): boolean;
  /** Switches its machine, which takes its time. */
  power(droplet: DropletRecord, action: ActionRecord, how: Power): void;
  /** Whether machines here can be switched at all. */
  readonly hasPower: boolean;
  /** `survives`: only the answer says that it goes. */
  remove(droplet: DropletRecord, survives: boolean): void;
  /** Takes up what a restart cut off. */
  resume(): void;
  /** Ends all waiting; resolves once no machine is under way. */
  stop(): Promise<void>;
}

export function createLife(store: Store, machines: Machines, delays: Delays): Life {
  const stopped = new AbortController();
  /** What ends a droplet's coming up. */
  const coming = new Map<number, AbortController>();
  const switching = new Set<number>();
  const underWay = new Set<Promise<unknown>>();

  const track = <T>(work: Promise<T>): Promise<T> => {
    const settled = work.then(
      () => {},
      () => {},
    );
    underWay.add(settled);
    settled.finally(() => underWay.delete(settled));
    return work;
  };

  /** Rejects where the droplet goes or the API ends meanwhile. */
  const wait = (seconds: number, signal: AbortSignal): Promise<void> =>
    sleep(seconds * 1000, undefined, { signal: AbortSignal.any([signal, stopped.signal]) });

  const change = (signal: AbortSignal, make: () => void): void => {
    if (signal.aborted || stopped.signal.aborted) return;
    make();
    store.changed();
  };

  async function comeUp(
    droplet: DropletRecord,
    action: ActionRecord,
    machine: Promise<{ publicIp: string; privateIp: string }>,
    { signal }: AbortController,
    fates: ReadonlySet<Fate>,
  ): Promise<void> {
    const due = wait(delays.active * paceOf(droplet.region), signal);
    // Looked at only once the addresses are there.
    due.catch(() => {});
    const [{ publicIp, privateIp }] = await Promise.all([machine, wait(delays.address, signal)]);
    change(signal, () => Object.assign(droplet, { privateIp }));
    await wait(delays.address, signal);
    const late = fates.has('late-address');
    if (!late && !fates.has('no-address')) change(signal, () => Object.assign(droplet, { publicIp }));
    await due;
    if (fates.has('never-active')) return;
    change(signal, () => {
      droplet.status = 'active';
      store.finish(action, 'completed');
    });
    if (!late) return;
    await wait(delays.address, signal);
    change(signal, () => Object.assign(droplet, { publicIp }));
  }

  const goesAway = async (droplet: DropletRecord, action: ActionRecord): Promise<void> => {
    coming.get(droplet.id)?.abort();
    const destroyed = track(machines.destroy(droplet.id));
    try {
      await Promise.all([destroyed, wait(delays.gone, new AbortController().signal)]);
    } catch {
      // Its machine cannot be ended: the droplet stays, and may be deleted once more.
      if (stopped.signal.aborted) return;
      droplet.deleting = false;
      store.finish(action, 'errored');
      return store.changed();
    }
    store.droplets.splice(store.droplets.indexOf(droplet), 1);
    store.finish(action, 'completed');
    store.changed();
  };

  return {
    begin: (droplet, action, order, fates) => {
      const end = new AbortController();
      const failed = async (): Promise<never> => {
        await wait(delays.active, end.signal);
        throw new Error('the hypervisor is full');
      };
      const machine = fates.has('errored') ? failed() : track(machines.create(order));
      coming.set(droplet.id, end);
      comeUp(droplet, action, machine, end, fates)
        .catch(() => change(end.signal, () => store.finish(action, 'errored')))
        .finally(() => coming.delete(droplet.id));
    },
    // One that never becomes active has nothing under way any more, though its action is open.
    isPending: (droplet) => {
      const { id, deleting } = droplet;
      return deleting || switching.has(id) || (coming.has(id) && store.open(droplet).length > 0);
    },
    hasPower: machines.power !== undefined,
    power: (droplet, action, how) => {
      switching.add(droplet.id);
      const ended = (status: 'completed' | 'errored'): void => {
        switching.delete(droplet.id);
        if (status === 'completed') droplet.status = how === 'off' ? 'off' : 'active';
        store.finish(action, status);
        store.changed();
      };
      track(machines.power?.(droplet.id, how) ?? Promise.resolve()).then(
        () => ended('completed'),
        () => ended('errored'),
      );
    },
    remove: (droplet, survives) => {
      if (survives) return;
      droplet.deleting = true;
      for (const action of store.open(droplet)) store.finish(action, 'errored');
      void goesAway(droplet, store.newAction('destroy', droplet));
    },
    resume: () => {
      for (const droplet of store.droplets) {
        for (const action of store.open(droplet)) store.finish(action, 'errored');
        if (droplet.deleting) void goesAway(droplet, store.newAction('destroy', droplet));
      }
    },
    stop: async () => {
      stopped.abort();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
