import { EXIT, Fault } from '../cli.ts';
import type { Transport } from '../transport/transport.ts';
import { ownName } from './lock.ts';
import { APPLY_LIMIT, type ConvergeOptions, PROBE_LIMIT, reasonOf, send, words } from './round.ts';
import { applyScript, type Frame, probeScript, STALE } from './script.ts';
import type { Change, Gather, Task, Verdict } from './task.ts';

/** How one task ended on one host. */
export interface TaskResult {
  name: string;
  /** What was changed, or in check mode would be. */
  changed: Change[];
  /** What a person should know of the machine. */
  notices?: readonly string[];
  /** Why it failed; the tasks behind it were not begun. */
  failed?: string;
}

export interface Outcome {
  /** Those that were wanted, in order. */
  tasks: TaskResult[];
  /** By task name, what {@link Verdict.value} gave. Empty for a task whose value needs changes not made. */
  values: Map<string, string>;
}

type Planned = { task: string } & ({ verdict: Verdict; wanted: boolean } | { refused: string });

interface Plan {
  /** Who had changed the host last when it was probed. */
  last: string;
  planned: Planned[];
}

/** Probes everything in one round trip and judges it: what each task would change on this host. */
async function plan<F>(
  transport: Transport,
  gather: Gather<F>,
  tasks: readonly Task<F>[],
  options: ConvergeOptions,
): Promise<Plan> {
  const probes = [gather.probe, ...tasks.map((task) => task.probe)];
  const answer = await send(
    transport,
    {
      what: 'probe',
      script: (marker) => probeScript(marker, probes),
      limit: PROBE_LIMIT,
      names: ['last run', 'facts', ...tasks.map(({ name }) => name)],
    },
    options,
  );
  const seen = (i: number): string => {
    const frame = answer.frames.get(i);
    if (frame === undefined)
      throw new Fault({
        what: `this host's shell gave no answer${words(answer) && `: ${words(answer)}`}`,
        code: EXIT.failed,
      });
    if (frame.code !== 0)
      throw new Fault({ what: `cannot read the state: ${reasonOf(frame)}`, code: EXIT.failed });
    return frame.stdout;
  };
  const last = seen(0).trim();
  const facts = gather.read(seen(1));
  const planned = tasks.flatMap((task, i): Planned[] => {
    const wanted = options.choice?.(task) ?? true;
    try {
      return [{ task: task.name, verdict: task.judge(seen(i + 2), facts), wanted }];
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return wanted ? [{ task: task.name, refused: error.message }] : [];
    }
  });
  return { last, planned };
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

/** Undefined where another run got in between. */
async function convergeOnce<F>(
  transport: Transport,
  gather: Gather<F>,
  tasks: readonly Task<F>[],
  options: ConvergeOptions,
): Promise<Outcome | undefined> {
  const { last, planned } = await plan(transport, gather, tasks, options);
  const refused = planned.find((one) => 'refused' in one);
  // Bad state is refused before the first change, as bad input is.
  if (refused !== undefined && 'refused' in refused)
    return { tasks: [{ name: refused.task, changed: [], failed: refused.refused }], values: new Map() };
  const verdicts = planned.flatMap((one) => ('verdict' in one ? [one] : []));
  const changes = verdicts.flatMap(({ task, verdict, wanted }) =>
    wanted ? verdict.changes.map((change) => ({ task, change })) : [],
  );
  const nothing = options.check || changes.length === 0;
  const frames = nothing ? new Map<number, Frame>() : await make(transport, last, changes, options);
  if (frames === undefined) return undefined;
  return settle(verdicts, frames, options.check);
}

/** Undefined where another run got in between. */
async function make(
  transport: Transport,
  last: string,
  changes: readonly { task: string; change: Change }[],
  options: ConvergeOptions,
): Promise<Map<number, Frame> | undefined> {
  const shells = changes.map(({ change }) => change.shell);
  const answer = await send(
    transport,
    {
      what: 'apply',
      script: (marker) => applyScript(marker, last, shells, ownName()),
      limit: APPLY_LIMIT,
      names: changes.map(({ task, change }) => `${task}: ${change.line}`),
    },
    options,
    {
      begin: (i) => options.onChange?.(changes[i]?.change.line ?? ''),
      done: (i) => {
        const made = changes[i];
        if (made !== undefined) options.onChanged?.(made.task, made.change);
      },
      say: (what) => options.onWait?.(what),
    },
  );
  if (answer.code === STALE) return undefined;
  if (answer.frames.size > 0) return answer.frames;
  throw new Fault({
    what: `this host's shell made no change: ${words(answer) || 'it said nothing'}`,
    code: EXIT.failed,
  });
}

/** Lays the answers beside the plan, in order, up to the first failure. */
function settle(
  verdicts: readonly { task: string; verdict: Verdict; wanted: boolean }[],
  frames: ReadonlyMap<number, Frame>,
  check: boolean,
): Outcome {
  const outcome: Outcome = { tasks: [], values: new Map() };
  let next = 0;
  for (const { task, verdict, wanted } of verdicts) {
    const { notices = [] } = verdict;
    const result: TaskResult = { name: task, changed: [], ...(notices.length > 0 ? { notices } : {}) };
    const outputs: string[] = [];
    if (wanted) outcome.tasks.push(result);
    for (const change of wanted ? verdict.changes : []) {
      const frame = frames.get(next++);
      if (!check && frame?.code !== 0) {
        const why = frame === undefined ? 'the shell ended before it' : reasonOf(frame);
        return { ...outcome, tasks: outcome.tasks.with(-1, { ...result, failed: `${change.line}: ${why}` }) };
      }
      result.changed.push(change);
      outputs.push(frame?.stdout ?? '');
    }
    const lacking = (check || !wanted) && verdict.changes.length > 0 && !verdict.valueHolds;
    if (verdict.value !== undefined && !lacking) outcome.values.set(task, verdict.value(outputs));
  }
  return outcome;
}
