import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import type { Capture } from '../../scripts/lib/lab/capture.ts';
import { type Lab, labDown, labUp, type UpOptions } from '../../scripts/lib/lab/lab.ts';
import { runSetup, type SetupOutcome } from '../../scripts/lib/lab/setup.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';
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

/** The first packets of a capture's file, a line each. */
export async function firstPackets(file: string): Promise<string> {
  const { stdout } = await attempt(['tcpdump', '-tttt', '-n', '-e', '-r', file, 'not arp']);
  return stdout.split('\n').slice(0, 8).join('\n');
}

/** Ends a capture that must hold nothing; where it holds something, its first packets are told. */
export async function nothingIn(capture: Capture): Promise<void> {
  assert.equal(await capture.stop(), 0, await firstPackets(capture.file));
}
