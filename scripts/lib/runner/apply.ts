import { randomBytes } from 'node:crypto';
import { EXIT, Fault } from '../cli.ts';
import type { Transport } from '../transport/transport.ts';
import { applyScript, beginnings, type Frame, framesOf, LOCKED, probeScript, STALE } from './script.ts';
import type { Change, Gather, Task, Verdict } from './task.ts';

/** How one task ended on one host. */
export interface TaskResult {
  name: string;
  /** What was changed, or in check mode would be. */
  changed: Change[];
  /** Why it failed; the tasks behind it were not begun. */
  failed?: string;
}

export interface Outcome {
  tasks: TaskResult[];
  /** By task name, what {@link Verdict.value} gave. Empty for a task whose value needs changes not yet made. */
  values: Map<string, string>;
}

const newMarker = (): string => `comps-${randomBytes(8).toString('hex')}`;

/** The last words of a piece that failed. */
function reasonOf({ code, stdout, stderr }: Frame): string {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  return said === '' ? `exit code ${code}` : said;
}

/** Probes everything in one round trip and judges it: what each task would change on this host. */
async function plan<F>(transport: Transport, gather: Gather<F>, tasks: readonly Task<F>[]): Promise<Plan> {
  const marker = newMarker();
  const { code, stdout, stderr } = await transport.run(
    probeScript(marker, [gather.probe, ...tasks.map((task) => task.probe)]),
  );
  refuseBusy(code);
  const frames = framesOf(marker, stdout, stderr);
  const seen = (i: number): string => {
    const frame = frames.get(i);
    if (frame === undefined)
      throw new Fault({
        what: `this host's shell gave no answer${stderr.trim() && `: ${stderr.trim()}`}`,
        code: EXIT.failed,
      });
    if (frame.code !== 0)
      throw new Fault({ what: `cannot read the state: ${reasonOf(frame)}`, code: EXIT.failed });
    return frame.stdout;
  };
  const last = seen(0).trim();
  const facts = gather.read(seen(1));
  const planned = tasks.map((task, i): Planned => {
    try {
      return { name: task.name, verdict: task.judge(seen(i + 2), facts) };
    } catch (error) {
      if (error instanceof Fault) return { name: task.name, refused: error.message };
      throw error;
    }
  });
  return { last, planned };
}

type Planned = { name: string; verdict: Verdict } | { name: string; refused: string };

interface Plan {
  /** Who had changed the host last when it was probed. */
  last: string;
  planned: Planned[];
}

function refuseBusy(code: number | null): void {
  if (code === LOCKED)
    throw new Fault({
      what: 'another run is at work on this host and did not end within a minute',
      next: 'wait for it, then run this again',
      code: EXIT.failed,
    });
}

/** How often another run may get in between plan and changes before this one gives up. */
const TRIES = 5;

/**
 * Brings one host to what the tasks want: one round trip where it is right already, two where it is not.
 * In check mode it stops after the first. A task that fails ends the host's play; what came before it stays.
 * Where another run changed the host in between, the plan is made anew: nothing is done on stale knowledge.
 */
export async function converge<F>(
  transport: Transport,
  gather: Gather<F>,
  tasks: readonly Task<F>[],
  options: ConvergeOptions,
): Promise<Outcome> {
  for (let tries = 0; tries < TRIES; tries++) {
    const outcome = await convergeOnce(transport, gather, tasks, options);
    if (outcome !== undefined) return outcome;
  }
  throw new Fault({
    what: `other runs changed this host ${TRIES} times in between`,
    next: 'wait for them, then run this again',
    code: EXIT.failed,
  });
}

interface ConvergeOptions {
  check: boolean;
  /** Called as each change begins, with its line. */
  onChange?: ((line: string) => void) | undefined;
}

/** Undefined where another run got in between. */
async function convergeOnce<F>(
  transport: Transport,
  gather: Gather<F>,
  tasks: readonly Task<F>[],
  options: ConvergeOptions,
): Promise<Outcome | undefined> {
  const { last, planned } = await plan(transport, gather, tasks);
  const refused = planned.find((one) => 'refused' in one);
  // Bad state is refused before the first change, as bad input is.
  if (refused !== undefined && 'refused' in refused)
    return { tasks: [{ name: refused.name, changed: [], failed: refused.refused }], values: new Map() };
  const verdicts = planned.flatMap((one) => ('verdict' in one ? [one] : []));
  const changes = verdicts.flatMap(({ verdict }) => verdict.changes);
  const nothing = options.check || changes.length === 0;
  const frames = nothing ? new Map<number, Frame>() : await make(transport, last, changes, options.onChange);
  if (frames === undefined) return undefined;
  return settle(verdicts, frames, options.check);
}

/** Undefined where another run got in between. */
async function make(
  transport: Transport,
  last: string,
  changes: readonly Change[],
  onChange: (line: string) => void = () => {},
): Promise<Map<number, Frame> | undefined> {
  const marker = newMarker();
  const shells = changes.map(({ shell }) => shell);
  const begun = beginnings(marker, (i) => onChange(changes[i]?.line ?? ''));
  const { code, stdout, stderr } = await transport.run(applyScript(marker, last, shells), begun);
  refuseBusy(code);
  if (code === STALE) return undefined;
  const frames = framesOf(marker, stdout, stderr);
  if (frames.size > 0) return frames;
  throw new Fault({
    what: `this host's shell made no change: ${stderr.trim() || 'it said nothing'}`,
    code: EXIT.failed,
  });
}

/** Lays the answers beside the plan, in order, up to the first failure. */
function settle(
  verdicts: readonly { name: string; verdict: Verdict }[],
  frames: ReadonlyMap<number, Frame>,
  check: boolean,
): Outcome {
  const outcome: Outcome = { tasks: [], values: new Map() };
  let next = 0;
  for (const { name, verdict } of verdicts) {
    const result: TaskResult = { name, changed: [] };
    const outputs: string[] = [];
    outcome.tasks.push(result);
    for (const change of verdict.changes) {
      const frame = frames.get(next++);
      if (!check && frame?.code !== 0) {
        const why = frame === undefined ? 'the shell ended before it' : reasonOf(frame);
        return { ...outcome, tasks: outcome.tasks.with(-1, { ...result, failed: `${change.line}: ${why}` }) };
      }
      result.changed.push(change);
      outputs.push(frame?.stdout ?? '');
    }
    if (verdict.value !== undefined && !(check && verdict.changes.length > 0))
      outcome.values.set(name, verdict.value(outputs));
  }
  return outcome;
}
