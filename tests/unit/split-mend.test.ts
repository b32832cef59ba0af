import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingIn } from '../../client/scripts/lib/split-mend.ts';
import { layCommands } from '../../client/scripts/lib/split-rules.ts';

const NAMES = ['wgnet1', 'wgnet2', 'wgnet3'];
const SELF = [0, 1, 2];

/** What the kernel shows once these commands are carried out: routes and rules as `ip -j` prints them. */
function shown(commands: readonly string[]): { rules: object[]; routes: object[] } {
  const rules: object[] = [{ priority: 99, src: 'all', table: 'main' }];
  const routes: object[] = [{ dst: '192.0.2.0/24', dev: 'eth0' }];
  for (const command of commands) {
    const [, mark] = /^rule add pref 99 fwmark (\d+)/.exec(command) ?? [];
    const [, dev] = / dev (\S+)/.exec(command) ?? [];
    const [, metric] = / metric (\d+)/.exec(command) ?? [];
    const [, table] = / table (\d+)$/.exec(command) ?? [];
    if (mark !== undefined)
      rules.push({ priority: 99, src: 'all', fwmark: `0x${Number(mark).toString(16)}`, table: mark });
    else
      routes.push({
        ...(command.includes('unreachable') && { type: 'unreachable' }),
        ...{ dst: 'default', ...(dev && { dev, scope: 'link' }), table, flags: [] },
        ...(metric && { metric: Number(metric) }),
      });
  }
  return { rules, routes };
}
const missing = (commands: readonly string[], instead = SELF) => {
  const { rules, routes } = shown(commands);
  return missingIn(JSON.stringify(rules), JSON.stringify(routes), NAMES, instead);
};

test('all that layCommands lays is there: nothing is missing; whichever of it is taken away is laid again', () => {
  const all = layCommands(NAMES);
  assert.deepEqual(missing(all), { commands: [], taken: [] });
  for (const one of all) assert.deepEqual(missing(all.filter((other) => other !== one)).commands, [one]);
});

test('of a table that was flushed everything is laid again, before the rules, and it is told', () => {
  const all = layCommands(NAMES);
  const left = all.filter((command) => !/ table 51902$/.test(command) && !/lookup 51901/.test(command));
  const { commands, taken } = missing(left);
  assert.deepEqual(commands, [
    'route replace unreachable default metric 4294967295 table 51902',
    'route replace default dev wgnet1 metric 1001 table 51902',
    'route replace default dev wgnet3 metric 1003 table 51902',
    'route replace default dev wgnet2 table 51902',
    'rule add pref 99 fwmark 51901 lookup 51901',
  ]);
  assert.deepEqual(taken, ['rule to 51901', 'table 51902']);
  const everything = missingIn('', '[]', NAMES, SELF);
  assert.deepEqual([...everything.commands].sort(), [...all].sort());
  assert.equal(everything.taken.length, 6);
});

test('an interface that goes takes routes along, which nobody took; a path that is left out goes by another', () => {
  const all = layCommands(NAMES);
  const { commands, taken } = missing(
    all.filter((command) => !command.includes('dev wgnet2')),
    [0, 2, 2],
  );
  assert.deepEqual(taken, []);
  assert.deepEqual(commands, [
    'route replace default dev wgnet2 metric 1002 table 51901',
    'route replace default dev wgnet3 table 51902',
    'route replace default dev wgnet2 metric 1002 table 51903',
  ]);
});
