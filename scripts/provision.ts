/** Creates the droplets that config.cfg names, and writes them into hosts.ini. */
import { command, duration, EXIT, exitWith, main } from './lib/cli.ts';
import { quoteAll } from './lib/shell.ts';
import { type ProvisionOptions, provision } from './lib/steps/provisioning.ts';

async function run(options: ProvisionOptions): Promise<number> {
  const { code } = await provision(options);
  const flags = [
    ...(options.inventory === 'hosts.ini' ? [] : ['-i', options.inventory]),
    ...(options.config === 'config.cfg' ? [] : ['-c', options.config]),
  ];
  if (code === EXIT.ok && !options.check)
    console.log(`\nnext:    ${quoteAll(['npx', 'zx', 'scripts/wgnet-setup.ts', ...flags])}`);
  return code;
}

const program = command(
  'provision',
  'create the DigitalOcean droplets of config.cfg and write them into hosts.ini',
)
  .option('-i, --inventory <file>', 'Ansible INI inventory that gets their addresses', 'hosts.ini')
  .option('-c, --config <file>', 'YAML variables file with token, ssh_key_id, vpns and comps', 'config.cfg')
  .option('-C, --check', 'make nothing, only say what would be made and what it costs', false)
  .option('-T, --timeout <seconds>', 'for connecting to a host', duration, 10)
  .option('--accept-new', 'take and remember the host keys of droplets that were not made from here', false)
  .option('--api-url <url>', 'another API than DigitalOcean’s, such as the one of `lab.ts cloud`')
  .action(async (options: ProvisionOptions) => exitWith(await run(options)));

await main(program);
