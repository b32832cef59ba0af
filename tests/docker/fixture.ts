import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { type Engine, startEngine } from '../../scripts/lib/lab/engine.ts';
import { type Lab, labDown, labUp, type UpOptions } from '../../scripts/lib/lab/lab.ts';
import { sweep } from '../lab/sweep.ts';

/** Milliseconds that what is waited for may take: against hanging only, as the machine may be as busy as it likes. */
export const PATIENCE = 180_000;

/** A lab of this test file's own with a Docker engine in it, up before its first test and gone after its last. */
export function useEngine(
  topic: string,
  options: Omit<UpOptions, 'name'> = {},
  prepare: (lab: Lab, engine: Engine) => Promise<unknown> = async () => {},
): { lab: () => Lab; engine: () => Engine } {
  const name = `t-${topic}-${process.pid}`;
  let up: { lab: Lab; engine: Engine } | undefined;
  before(async () => {
    await sweep();
    const lab = await labUp({ name, ...options });
    const engine = await startEngine(lab);
    up = { lab, engine };
    await prepare(lab, engine);
  });
  after(() => labDown(name));
  const there = () => {
    assert.ok(up, 'the engine is up');
    return up;
  };
  return { lab: () => there().lab, engine: () => there().engine };
}
