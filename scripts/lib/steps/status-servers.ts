/** The servers, asked again and again over connections that stay open: one round trip a server and round. */
import { EXIT, Fault } from '../cli.ts';
import { converge, type Outcome } from '../runner/apply.ts';
import type { Task } from '../runner/task.ts';
import { ENDS, type End, endsIn } from '../status/ends.ts';
import type { ServerSeen } from '../status/judge.ts';
import { type HostFacts, hostFacts } from '../tasks/facts.ts';
import type { Transport } from '../transport/transport.ts';
import type { Member } from './set-up-servers.ts';
import { inTime } from './status-time.ts';

export interface ServerDoors {
  connect: (member: Member) => Promise<Transport>;
  /** What is wanted of a server, by the client's public key. */
  tasksFor: (member: Member, clientKey: string | undefined) => readonly Task<HostFacts>[];
  /** Milliseconds, of a clock that nobody sets. */
  now: () => number;
  /** Told what a server is asked for; undefined when that is over. */
  onStep?: (name: string, what: string | undefined) => void;
}

/** Milliseconds before the second try of a server that was not reached; twice as long before each further one, up to {@link LONGEST}. */
const FIRST_REST = 1000;
const LONGEST = 60_000;

/** Seconds that a round waits for such a try. */
const RETRY_LIMIT = 1;

/** One server, and what is remembered of it between two rounds. */
interface Kept {
  member: Member;
  /** What it is asked for now. */
  step?: string | undefined;
  /** A round trip that takes longer than a round is waited for in the next one. */
  pending?: Promise<ServerSeen> | undefined;
  transport?: Transport | undefined;
  /** Why it was not reached, how often in a row, and when it is tried again. */
  lost?: { why: Fault; rest: number; until: number } | undefined;
}

const baseOf = ({ name, tunnel }: Member): Pick<ServerSeen, 'name' | 'tunnel'> => ({ name, tunnel });

const usualKey = ({ key }: Member): string | undefined => key?.publicKey;

/** Reads the tunnel's own end beside the tasks' probes; it never wants a change. */
function endTask(told: (end: End | null) => void): Task<HostFacts> {
  return {
    name: 'wg show',
    probe: `command -v wg >/dev/null || exit 0\n${ENDS}`,
    judge: (seen) => {
      told(endsIn(seen).get('wg0') ?? null);
      return { changes: [] };
    },
  };
}

const notFound = (what: string): Fault =>
  new Fault({ what, next: 'mend this on the host', code: EXIT.failed });

/** What the plan of a set-up says. */
function planned({ tasks }: Outcome): Pick<ServerSeen, 'drift' | 'failed' | 'notices'> {
  const notices = tasks.flatMap((task) => task.notices ?? []);
  const refused = tasks.find(({ failed }) => failed !== undefined);
  if (refused?.failed !== undefined) {
    const [what = '', next] = refused.failed.split('\nnext: ');
    const fault = next === undefined ? notFound(what) : new Fault({ what, next, code: EXIT.failed });
    return { failed: fault, notices };
  }
  return {
    drift: tasks.flatMap(({ name, changed }) => changed.map(({ line }) => `${name}: ${line}`)),
    notices,
  };
}

export class Servers {
  private readonly kept: Kept[];
  private readonly doors: ServerDoors;

  constructor(members: readonly Member[], doors: ServerDoors) {
    this.kept = members.map((member) => ({ member }));
    this.doors = doors;
  }

  /**
   * All at the same time. `keyOf` gives the client's public key as it is now; who takes more than `limit`
   * seconds is told of as one that does not answer, so that nobody holds up the others.
   */
  read(limit = Number.POSITIVE_INFINITY, keyOf = usualKey): Promise<ServerSeen[]> {
    return Promise.all(
      this.kept.map((one) => {
        one.pending ??= this.readOne(one, keyOf(one.member)).finally(() => {
          one.pending = undefined;
        });
        const { lost, member } = one;
        if (lost === undefined) return inTime(one.pending, limit, () => late(one, limit));
        // Known to be away: a further try of it is not waited for.
        const still = (): ServerSeen => ({ ...baseOf(member), unreachable: lost.why });
        return inTime(one.pending, Math.min(limit, RETRY_LIMIT), still);
      }),
    );
  }

  close(): void {
    for (const one of this.kept) drop(one);
  }

  private async readOne(one: Kept, clientKey: string | undefined): Promise<ServerSeen> {
    const { now } = this.doors;
    const base = { ...baseOf(one.member), clientKey };
    if (one.lost !== undefined && now() < one.lost.until) return { ...base, unreachable: one.lost.why };
    const wasOpen = one.transport !== undefined;
    try {
      return { ...base, ...(await this.ask(one, clientKey)) };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code !== EXIT.unreachable) return { ...base, failed: error };
      drop(one);
      // What was open has perhaps only been closed for idleness: a new connection tells.
      if (wasOpen) return this.readOne(one, clientKey);
      const rest = Math.min(LONGEST, one.lost === undefined ? FIRST_REST : one.lost.rest * 2);
      one.lost = { why: error, rest, until: now() + rest };
      return { ...base, unreachable: error };
    } finally {
      this.step(one, undefined);
    }
  }

  private step(one: Kept, what: string | undefined): void {
    one.step = what;
    this.doors.onStep?.(one.member.name, what);
  }

  private async ask(
    one: Kept,
    clientKey: string | undefined,
  ): Promise<Pick<ServerSeen, 'drift' | 'failed' | 'end' | 'notices'>> {
    if (one.transport === undefined) {
      this.step(one, 'connecting');
      one.transport = await this.doors.connect(one.member);
    }
    one.lost = undefined;
    this.step(one, 'reading its state');
    const tasks = this.doors.tasksFor(one.member, clientKey);
    let end: End | null | undefined;
    const task = endTask((seen) => {
      end = seen;
    });
    const outcome = await converge(one.transport, hostFacts, [...tasks, task], {
      check: true,
      onWait: (what) => this.step(one, `waiting: ${what}`),
    });
    return { ...planned(outcome), end };
  }
}

/** What is said of a server that takes too long. */
function late({ member, step = 'asked' }: Kept, limit: number): ServerSeen {
  const { name } = member;
  if (step.startsWith('waiting: ')) {
    const fault = new Fault({ at: name, what: step.slice(9), next: 'wait for it', code: EXIT.failed });
    return { ...baseOf(member), failed: fault };
  }
  const what = `no answer in ${limit} s (${step})`;
  return { ...baseOf(member), unreachable: new Fault({ at: name, what, code: EXIT.unreachable }) };
}

function drop(one: Kept): void {
  one.transport?.close();
  one.transport = undefined;
}
