/** Deletes the droplets of this project, after a list of them and a question. */
import { command, exitWith, main } from './lib/cli.ts';
import { API_URL, CONFIG, check, INVENTORY } from './lib/steps/flags.ts';
import { type TearDownOptions, tearDown } from './lib/steps/tearing-down.ts';

const program = command(
  'teardown',
  'delete the DigitalOcean droplets of this project, and take them out of hosts.ini',
)
  .option(...INVENTORY)
  .option(...CONFIG)
  .option('-l, --limit <names...>', 'only these droplets, by name or number')
  .option(...check('delete nothing, only list'))
  .option('-y, --yes', 'do not ask', false)
  .option(...API_URL)
  .action(async (options: TearDownOptions) => exitWith(await tearDown(options)));

await main(program);
