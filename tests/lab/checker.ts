/** The privacy verdict in a lab's client, for tests. */
import assert from 'node:assert/strict';
import type { Check, Verdict } from '../../client/scripts/lib/check/verdict.ts';
import type { Mode } from '../../client/scripts/lib/mode.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';

/** Without npx around it: what is sent a signal is the check itself. */
export const SCRIPT = 'node --import tsx /comps/check.ts';

export interface Report {
  verdict: Verdict;
  mode: Mode;
  seconds: number;
  devices: string[];
  tunnels: string[];
  checks: Check[];
  leaks: { time: number; device: string; protocol: string; from: string; to: string }[];
}

export interface Run extends Report {
  code: number;
  of(id: string): Check;
  /** Ids of what is not ok. */
  wrong: string[];
}

/** Runs the check in the lab's client; its report. */
export async function runCheck(lab: Lab, ...flags: string[]): Promise<Run> {
  const { code, stdout, stderr } = await lab.exec('client', [
    'sh',
    '-c',
    `cd / && ${SCRIPT} --json ${flags.join(' ')}`,
  ]);
  assert.ok(stdout.startsWith('{'), stdout + stderr);
  const report = JSON.parse(stdout) as Report;
  const of = (id: string): Check => {
    const found = report.checks.find((each) => each.id === id);
    assert.ok(found, `no check ${id}`);
    return found;
  };
  const wrong = report.checks.filter(({ ok }) => ok === false).map(({ id }) => id);
  return { code, ...report, of, wrong };
}

/** All of it is ok. */
export const good = ({ verdict, code, wrong, checks }: Run): void => {
  const told = JSON.stringify(checks.filter(({ ok }) => ok === false));
  assert.deepEqual([verdict, code, wrong], ['ok', 0, []], told);
};
