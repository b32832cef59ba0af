/** Whose turn it is: nothing is broken on purpose while somebody else migrates or fetches here. */
import { Fault } from '../fault.ts';
import { refuseWhileHeld, takeLock } from '../lock.ts';

/** Each a lock's name, and who has it. */
interface Locks {
  migrators: readonly [string, string];
  fetchers: readonly [string, string];
}
const LOCKS: Locks = {
  migrators: ['comps-migrate', 'a migrate.ts'],
  fetchers: ['comps-fetch', 'a fetch_websites.ts'],
};

/** Why not, in a person's words; undefined where it is so. */
async function refusal(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** Who migrates or fetches here; undefined where nobody does. */
export const busy = async (): Promise<string | undefined> =>
  (await refusal(() => refuseWhileHeld(...LOCKS.migrators))) ??
  (await refusal(() => refuseWhileHeld(...LOCKS.fetchers)));

/** The lock of migrators, kept from the first drill to this program's end: a migrate.ts started meanwhile is refused. */
export class Turn {
  private own = false;
  private readonly locks: Locks;
  private readonly migrator: { holds(): Promise<boolean> } | undefined;

  /** `migrator`: has the lock itself while it lives. */
  constructor(migrator?: { holds(): Promise<boolean> }, locks = LOCKS) {
    this.migrator = migrator;
    this.locks = locks;
  }

  /** To be asked right before each drill: why it may not be; undefined where it may. */
  async refused(): Promise<string | undefined> {
    const kept = this.own || (await this.migrator?.holds());
    const others = kept ? undefined : await this.taken();
    // Afterwards: one that comes later finds the lock held, and gives up.
    return others ?? refusal(() => refuseWhileHeld(...this.locks.fetchers));
  }

  /** Takes the lock; who has it, where that is another. */
  async taken(): Promise<string | undefined> {
    if (this.own) return undefined;
    const other = await refusal(() => takeLock(...this.locks.migrators));
    this.own = other === undefined;
    return other;
  }
}
