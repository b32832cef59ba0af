/** The local DigitalOcean API for tests: in this process, on a loopback address, held against the official document. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createCloud } from '../scripts/lib/lab/cloud/cloud.ts';
import { md5Fingerprint } from '../scripts/lib/lab/cloud/routes-account.ts';
import type { AccountKey, Cloud, CloudOptions } from '../scripts/lib/lab/cloud/types.ts';
import { newHostKey } from '../scripts/lib/transport/host-key.ts';
import { type LoopbackMachines, loopbackMachines } from './cloud-machines.ts';

export * from './cloud-machines.ts';

/** Longer than any text that a message may hold, and easy to look for. */
export const TOKEN = `dop_v1_${'0123456789abcdef'.repeat(4)}`;

/** The official document, where this computer has it; COMPS_DO_SPEC names another place, and empty none. */
export function specFile(): string | undefined {
  const beside = fileURLToPath(new URL('../../shared/digitalocean-openapi.json', import.meta.url));
  const file = process.env.COMPS_DO_SPEC ?? beside;
  return existsSync(file) ? file : undefined;
}

export interface TestKey extends AccountKey {
  /** Text of the private key. */
  privateKey: string;
  /** A file with it, 0600. */
  file: string;
}

export interface Called {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: an API's JSON
  json: any;
}

export interface TestCloud {
  cloud: Cloud;
  /** Ends in /v2. */
  url: string;
  token: string;
  /** On the account. */
  key: TestKey;
  machines: LoopbackMachines;
  /** A temporary folder, removed at the end. */
  folder: string;
  /** A request with the token: its status, headers, and JSON where it has any. */
  call(method: string, path: string, body?: unknown): Promise<Called>;
  /** Ends all of it; rejects where a request or an answer was not as documented, unless that is `expected`. */
  close(expected?: 'violations'): Promise<void>;
}

/** A client's key pair, as a key of the account. */
export function makeKey(folder: string, id = 512_189): TestKey {
  const { privateKey, publicKey } = newHostKey();
  const file = join(folder, 'id_ed25519');
  writeFileSync(file, privateKey, { mode: 0o600 });
  return {
    ...{ id, name: 'comps', publicKey, privateKey, file },
    fingerprint: md5Fingerprint(publicKey) ?? '',
  };
}

const open = new Set<TestCloud>();

// Also those of tests that failed: what stays open would keep the test file from ending.
after(async () => {
  for (const one of open) await one.close();
});

/** Short delays, so that tests are quick. */
const DELAYS = { active: 0.06, address: 0.02, gone: 0.04 };

/** Starts it; what the test file does not close is closed at its end. */
export async function startCloud(options: Partial<Omit<CloudOptions, 'machines'>> = {}): Promise<TestCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'comps-cloud-'));
  const machines = await loopbackMachines();
  const key = makeKey(folder);
  const spec = specFile();
  const token = options.token ?? TOKEN;
  const cloud = createCloud({
    ...{ machines, token, keys: [key] },
    ...(spec === undefined ? {} : { spec }),
    ...options,
    delays: { ...DELAYS, ...options.delays },
  });
  const url = await cloud.listen();
  const made: TestCloud = {
    ...{ cloud, url, token, key, machines, folder },
    call: async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await fetch(`${url}${path}`, { method, headers, ...sent });
      const text = await answer.text();
      return {
        ...{ status: answer.status, headers: answer.headers },
        json: text.startsWith('{') ? JSON.parse(text) : undefined,
      };
    },
    close: async (expected) => {
      open.delete(made);
      await cloud.close();
      await machines.close();
      rmSync(folder, { recursive: true, force: true });
      if (expected === undefined) assert.deepEqual(cloud.violations, []);
    },
  };
  open.add(made);
  return made;
}
