import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Lab, labDown, labUp, type UpOptions } from '../../scripts/lib/lab/lab.ts';
import { runSetup, type SetupOutcome } from '../../scripts/lib/lab/setup.ts';
import { sweep } from './sweep.ts';

/** A lab of this test file's own, up before its first test and gone after its last; `sweep` ends those of files cut off. */
export function useLab(
  topic: string,
  options: Omit<UpOptions, 'name'> = {},
  prepare: (lab: Lab) => Promise<unknown> = async () => {},
): () => Lab {
  const name = `t-${topic}-${process.pid}`;
  let lab: Lab | undefined;
  before(async () => {
    await sweep();
    lab = await labUp({ name, ...options });
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
