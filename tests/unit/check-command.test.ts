/** The privacy verdict's command on the host, where it cannot run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt } from '../../scripts/lib/transport/local.ts';

const HOST = [process.execPath, '--import=tsx', 'scripts/check.ts'];

test('on the host: no engine, no tunnels, or two places at once', async () => {
  const env = { ...process.env, DOCKER_HOST: 'tcp://127.0.0.1:9' };
  const engine = await attempt(HOST, { env });
  assert.equal(engine.code, 4);
  assert.match(engine.stderr, /next: .*--here/);
  const here = await attempt(['unshare', '-n', ...HOST, '--here', '--gentle']);
  assert.equal(here.code, 1);
  assert.match(here.stderr, /no wgnet interface/);
  assert.equal((await attempt([...HOST, '--here', '--lab'])).code, 1);
});
