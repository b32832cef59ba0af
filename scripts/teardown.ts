/** Deletes the droplets of this project, after a list of them and a question. */
import { command, exitWith, main } from './lib/cli.ts';
import { type TearDownOptions, tearDown } from './lib/steps/tearing-down.ts';

const program = command(
  'teardown',
  'delete the DigitalOcean droplets of this project, and take them out of hosts.ini',
)
  .option('-i, --inventory <file>', 'Ansible INI inventory that has their addresses', 'hosts.ini')
  .option('-c, --config <file>', 'YAML variables file with token and tag', 'config.cfg')
  .option('-l, --limit <names...>', 'only these droplets, by name or number')
  .option('-C, --check', 'delete nothing, only list', false)
  .option('-y, --yes', 'do not ask', false)
  .option('--api-url <url>', 'another API than DigitalOcean’s, such as the one of `lab.ts cloud`')
  .action(async (options: TearDownOptions) => exitWith(await tearDown(options)));

await main(program);
