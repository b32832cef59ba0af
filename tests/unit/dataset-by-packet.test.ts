import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { validate } from '../../scripts/lib/dataset/validate.ts';
import { asciiJson, writeRun } from '../synthetic-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-by-packet-'));
after(() => rmSync(folder, { recursive: true }));
const LARGE = 'visits/0002-0000.1';

const text = (path: string): string => readFileSync(path, 'utf8');

/** Writes a file of an attempt, and its checksum into visit.json. */
function put(run: string, attempt: string, name: string, bytes: Buffer): void {
  writeFileSync(join(run, attempt, name), bytes);
  const summary = JSON.parse(text(join(run, attempt, 'visit.json')));
  summary.files[name] = { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  writeFileSync(join(run, attempt, 'visit.json'), JSON.stringify(summary));
}

/** Findings of a run by packet whose visit.json and records of one attempt were changed. */
async function findingsByPacket(
  options: Parameters<typeof writeRun>[1],
  change: (facts: Record<string, unknown>) => void,
) {
  const place = mkdtempSync(join(folder, 'packet-'));
  const attempt = join(place, LARGE);
  const records = writeRun(place, options).find((one) => one.folder === '0002-0000.1')?.records ?? [];
  const changed = (value: object): Record<string, unknown> => {
    const facts = structuredClone(value) as Record<string, unknown>;
    change(facts);
    return facts;
  };
  writeFileSync(
    join(attempt, 'visit.json'),
    JSON.stringify(changed(JSON.parse(text(join(attempt, 'visit.json'))))),
  );
  put(
    place,
    LARGE,
    'records.jsonl',
    Buffer.from(records.map((one) => `${asciiJson(changed(one))}\n`).join('')),
  );
  const { findings } = await validate([place]);
  rmSync(place, { recursive: true });
  return findings.map(({ at, what }) => `${at.replace(place, '')}: ${what}`).join('\n');
}

test('by packet: weights, order and shares are those that were asked for and seen', async () => {
  const bwr = { strategy: 'bwr' } as const;
  const given = { strategy: 'packet', weights: [5, 3, 2], order: 'rr' } as const;
  const asked = { ...given, weights: [5, 3, 2] };
  assert.equal(await findingsByPacket(bwr, () => undefined), '');
  assert.equal(await findingsByPacket(asked, () => undefined), '');
  assert.match(
    await findingsByPacket(bwr, (facts) => {
      facts.weights = [0.2, 0.3, 0.5];
    }),
    /weights are not those that the seed gives/,
  );
  assert.match(
    await findingsByPacket(asked, (facts) => {
      facts.weights = [0.2, 0.3, 0.5];
    }),
    /weights are not those that were given/,
  );
  // All agrees with itself but the packets.
  const shares = await findingsByPacket(asked, (facts) => {
    Object.assign(facts, { given_weights: [1, 1, 98], weights: [0.01, 0.01, 0.98] });
  });
  assert.match(shares, /packets out are not split by the weights: wgnet1, wgnet2, wgnet3/);
  assert.match(shares, /given_weights is not that of the manifest/);
  assert.match(
    await findingsByPacket(asked, (facts) => {
      delete facts.order;
    }),
    /order is not that of the manifest/,
  );
  assert.match(
    await findingsByPacket(asked, (facts) => {
      facts.given_weights = [1, 2];
    }),
    /no schedule has what it was given: --weights: 2 weights for 3 paths/,
  );
  assert.match(
    await findingsByPacket(asked, (facts) => {
      facts.period = 0.1;
    }),
    /period: is null for strategies by packet, and for no others/,
  );
  assert.match(
    await findingsByPacket({ strategy: 'fixed', weights: [5, 3, 2] }, (facts) => {
      delete facts.given_weights;
    }),
    /no schedule has what it was given: --strategy fixed: needs the weights/,
  );
});

/** Findings of a run by packet of which one attempt's switch log was changed. */
async function findingsWithLog(change: (lines: string[]) => string[]): Promise<string> {
  const place = mkdtempSync(join(folder, 'log-'));
  writeRun(place, { strategy: 'packet', weights: [5, 3, 2] });
  const lines = change(
    text(join(place, LARGE, 'switches.jsonl'))
      .trimEnd()
      .split('\n'),
  );
  put(place, LARGE, 'switches.jsonl', Buffer.from(`${lines.join('\n')}\n`));
  const { findings } = await validate([place]);
  rmSync(place, { recursive: true });
  return findings.map(({ at, what }) => `${at.replace(`${place}/`, '')}: ${what}`).join('\n');
}

test('by packet: the switch log of a success has one split, counters that fit the captures, and no error', async () => {
  const of = (event: string) => (line: string) => JSON.parse(line).event === event;
  const log = `${LARGE}/switches.jsonl: `;
  assert.equal(await findingsWithLog((lines) => lines), '');
  assert.equal(
    await findingsWithLog((lines) => lines.filter((line) => !of('counts')(line))),
    `${log}the split was gone before its packets could be counted`,
  );
  assert.equal(
    await findingsWithLog((lines) => lines.filter((line) => !of('split')(line))),
    `${log}a success with 0 splits in the switch log`,
  );
  assert.equal(
    await findingsWithLog((lines) => [
      ...lines,
      '{"event":"error","time":1,"path":"wg0","message":"split gone: why"}',
    ]),
    `${log}a success with an error in the switch log: split gone: why`,
  );
  const counted = await findingsWithLog((lines) =>
    lines.map((line) =>
      of('counts')(line) ? '{"event":"counts","packets":{"wgnet1":1,"wgnet2":2,"wgnet3":1000000}}' : line,
    ),
  );
  assert.match(
    counted,
    /^\S+: the split did not count what was captured: wgnet1 1 of \d.*, wgnet2 2 of \d.*, wgnet3 1000000 of \d+/,
  );
});
