import assert from 'node:assert/strict';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { SITE } from '../../scripts/lib/lab/roles.ts';
import { until } from '../../scripts/lib/poll.ts';
import { spawnDetached } from '../../scripts/lib/transport/local.ts';

/** Where the site of nasty pages answers (nasty-site.mjs lists them), in every lab in which it was started. */
export const NASTY = { http: `http://${SITE}:8080`, https: `https://${SITE}:8443` };

/** A page of 1.5 MB whose load event waits for {@link openGate}: what is done meanwhile is done in mid-visit, on any machine. */
export const heldPage = (gate: string): string => `${NASTY.http}/held?gate=${gate}`;
const gateFile = (lab: Lab, gate: string): string => join(lab.directory, 'site', `open-${gate}`);
export const openGate = (lab: Lab, gate: string): void => writeFileSync(gateFile(lab, gate), '');
export const closeGate = (lab: Lab, gate: string): void => rmSync(gateFile(lab, gate), { force: true });

const [KEY, CERTIFICATE] = ['/tmp/nasty.key', '/tmp/nasty.crt'];

/** Starts the site of nasty pages in the lab's machine `inet`, for as long as that runs. */
export async function startNasty(lab: Lab): Promise<typeof NASTY> {
  for (const name of ['nasty-site.mjs', 'nasty-walls.mjs', 'nasty-held.mjs'])
    copyFileSync(`tests/lab/${name}`, join(lab.directory, 'site', name));
  const pair = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-noenc',
    '-keyout',
    KEY,
    '-out',
    CERTIFICATE,
  ];
  const made = await lab.exec('inet', [
    'openssl',
    'req',
    '-x509',
    ...pair,
    '-subj',
    '/CN=nasty',
    '-days',
    '30',
  ]);
  assert.equal(made.code, 0, made.stderr);
  const words = lab.words('inet', ['node', '/site/nasty-site.mjs', SITE, KEY, CERTIFICATE]);
  const log = join(lab.directory, 'log', 'nasty.log');
  spawnDetached(words, log);
  const answers = async (url: string): Promise<boolean> =>
    (await lab.exec('inet', ['curl', '-skf', '-m', '5', '-o', '/dev/null', url])).code === 0;
  for (const url of Object.values(NASTY)) assert.ok(await until(60_000, () => answers(url)), `see ${log}`);
  return NASTY;
}
