/** Runs one command in the controller, and says what it cost. */
import { EXIT, Fault } from '../../scripts/lib/cli.ts';
import { countsIn } from '../../scripts/lib/lab/setup.ts';
import { pause } from '../../scripts/lib/poll.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
import { counted } from './far.ts';
import type { Group } from './group.ts';
import type { Rig } from './rig.ts';
import type { Sample } from './rows.ts';
import { type Case, isAnsible, nameOf, type What } from './ways.ts';

/** Milliseconds between two looks at its memory; Ansible's many processes are not looked at, as that costs. */
const LOOK = 40;

/** What it said, where it did not do what it was started for. */
function refuse(
  one: Case,
  what: What,
  { code, stdout, stderr }: { code: number; stdout: string; stderr: string },
): void {
  const changed = [...countsIn(stdout).values()].reduce((sum, host) => sum + host.changed, 0);
  const wrong = code !== EXIT.ok || (what === 'no-op' && changed > 0) || (what === 'cold' && changed === 0);
  if (!wrong) return;
  const said = `${stdout}\n${stderr}`
    .trim()
    .split('\n')
    .filter((line) => /fail|error|fatal|unreachable|changed/i.test(line));
  throw new Fault({
    at: nameOf(one, what),
    what: `exit code ${code}, ${changed} changed:\n${said
      .slice(-12)
      .map((line) => line.slice(0, 300))
      .join('\n')}`,
    code: EXIT.failed,
  });
}

/** One run, measured; what is left of it is ended behind it, ssh's masters too. */
export async function measure(rig: Rig, group: Group, one: Case, what: What, round: number): Promise<Sample> {
  const { words, env } = rig.command(one);
  const known = one.way !== 'start' && one.delay === 0;
  const before = known ? await rig.visits() : undefined;
  await counted(rig.lab);
  const cpu = group.seconds();
  let memory = 0;
  let over = false;
  const watch = async (): Promise<void> => {
    while (!over && !isAnsible(one.way)) {
      memory = Math.max(memory, group.memory());
      await pause(LOOK);
    }
  };
  const began = performance.now();
  const watched = watch();
  const outcome = await attempt(group.words(rig.lab.words('ctl', words)), { env });
  const wall = (performance.now() - began) / 1000;
  over = true;
  await watched;
  await group.clear();
  const bytes = await counted(rig.lab);
  refuse(one, what, outcome);
  const after = before && (await rig.visits());
  return {
    ...{ case: one, what, round, wall, cpu: group.seconds() - cpu },
    connections: after && before ? after.connections - before.connections : null,
    sessions: after && before ? after.sessions - before.sessions : null,
    sent: known ? bytes.sent / one.hosts : null,
    received: known ? bytes.received / one.hosts : null,
    memory: memory === 0 ? null : memory,
  };
}
