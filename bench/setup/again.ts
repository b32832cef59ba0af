/**
 * Sets hosts up several times in one process, and says what it holds open before the first time and after each:
 * `again.ts TIMES INVENTORY CONFIG OUT`; the last line is JSON.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { userArguments } from '../../scripts/lib/cli.ts';
import { type SetUpOptions, setUp } from '../../scripts/lib/steps/setting-up.ts';

const [times = '3', inventory = '', config = '', out = ''] = userArguments(process.argv);
const listeners = (): number =>
  [process, process.stdin, process.stdout, process.stderr].reduce(
    (sum, one) => sum + one.eventNames().reduce((all, name) => all + one.listenerCount(name), 0),
    0,
  );
// Its own look at the folder is one of them, each time.
const descriptors = (): number => readdirSync('/proc/self/fd').length;

/** Sockets close a moment after they were asked to. */
async function settled(): Promise<number> {
  for (let before = -1, i = 0; i < 50; i++) {
    const now = descriptors();
    if (now === before) return now;
    before = now;
    await pause(100);
  }
  return descriptors();
}

const held = { descriptors: [await settled()], listeners: [listeners()], codes: [] as number[] };
for (let i = 0; i < Number(times); i++) {
  const options = { inventory, config, out, check: false, timeout: 30, acceptNew: false } as SetUpOptions;
  held.codes.push(await setUp(options));
  held.descriptors.push(await settled());
  held.listeners.push(listeners());
}
console.log(JSON.stringify(held));
