import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { run } from '../../scripts/lib/transport/local.ts';

const sources = (
  await run(['git', 'ls-files', '--cached', '--others', '--exclude-standard', 'scripts', 'client/scripts'])
)
  .split('\n')
  .filter((file) => file.endsWith('.ts') && existsSync(file));

test('only command.ts ends the process', () => {
  assert.ok(sources.length > 50);
  const exits = sources.filter((file) => /process\.(exit\(|exitCode)/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(exits, ['client/scripts/lib/command.ts']);
});

test('no file outgrows a person', () => {
  const long = sources.filter((file) => readFileSync(file, 'utf8').split('\n').length > 250);
  assert.deepEqual(long, []);
});
