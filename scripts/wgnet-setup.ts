import { command, exitWith, main } from './lib/cli.ts';
import { ACCEPT_NEW, CONFIG, check, INVENTORY, OUT, TIMEOUT } from './lib/steps/flags.ts';
import { type SetUpOptions, setUp } from './lib/steps/setting-up.ts';

const program = command(
  'wgnet-setup',
  'start WireGuard on the servers of hosts.ini and write the client’s files',
)
  .option(...INVENTORY)
  .option(...CONFIG)
  .option(...OUT)
  .option(...check('change nothing, only say what would be changed'))
  .option(...TIMEOUT)
  .option(...ACCEPT_NEW)
  .action(async (options: SetUpOptions) => exitWith(await setUp(options)));

await main(program);
