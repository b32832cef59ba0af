import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before } from 'node:test';
import { type Lab, labDown, labUp, type Shape } from '../../scripts/lib/lab/lab.ts';
import { runSetup, type SetupOutcome } from '../../scripts/lib/lab/setup.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Labs of test runs that were killed outright: their names end in the number of a process that is no more. */
async function sweep(): Promise<void> {
  for (const folder of readdirSync('.')) {
    const [, name, pid] = /^\.lab-(t-[a-z]+-(\d+))$/.exec(folder) ?? [];
    if (name !== undefined && !alive(Number(pid))) await labDown(name);
  }
}

/** A lab of this test file's own, up before its first test and gone after its last, also when the run is ended. */
export function useLab(
  topic: string,
  shape: Partial<Shape> = {},
  prepare: (lab: Lab) => Promise<unknown> = async () => {},
): () => Lab {
  const name = `t-${topic}-${process.pid}`;
  let lab: Lab | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void labDown(name).finally(() => process.exit(1)));
  before(async () => {
    await sweep();
    lab = await labUp({ name, ...shape });
    await prepare(lab);
  });
  after(() => labDown(name));
  return () => {
    assert.ok(lab, 'the lab is up');
    return lab;
  };
}

/** A set-up that must end well. */
export async function goodSetup(lab: Lab, ...flags: string[]): Promise<SetupOutcome> {
  const outcome = await runSetup(lab, ...flags);
  assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
  return outcome;
}
