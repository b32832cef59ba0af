import { command, duration, exitWith, main } from './lib/cli.ts';
import { type SetUpOptions, setUp } from './lib/steps/setting-up.ts';

const program = command(
  'wgnet-setup',
  'start WireGuard on the servers of hosts.ini and write the client’s files',
)
  .option('-i, --inventory <file>', 'Ansible INI inventory with the groups [vpn] and [comp]', 'hosts.ini')
  .option('-c, --config <file>', 'YAML variables file', 'config.cfg')
  .option('-o, --out <directory>', 'where the client’s files go', 'client/generated')
  .option('-C, --check', 'change nothing, only say what would be changed', false)
  .option('-T, --timeout <seconds>', 'for connecting to a host', duration, 10)
  .option('--accept-new', 'take and remember the host keys of hosts never seen before, unasked', false)
  .action(async (options: SetUpOptions) => exitWith(await setUp(options)));

await main(program);
