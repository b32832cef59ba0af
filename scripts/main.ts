/** Provisioning, then set-up: from config.cfg to a network that a client can join. */
import { command, duration, EXIT, exitWith, main } from './lib/cli.ts';
import { type ProvisionOptions, provision } from './lib/steps/provisioning.ts';
import { type SetUpOptions, setUp } from './lib/steps/setting-up.ts';

async function both(options: ProvisionOptions & SetUpOptions): Promise<number> {
  const { code, missing } = await provision(options);
  if (code !== EXIT.ok) return code;
  if (missing > 0) {
    console.log('\nSet-up comes once the droplets are there; what it would change cannot be known before.');
    return EXIT.ok;
  }
  console.log('');
  return setUp(options);
}

const program = command(
  'main',
  'provision.ts, then wgnet-setup.ts: create the droplets of config.cfg and set them up',
)
  .option('-i, --inventory <file>', 'Ansible INI inventory that gets the droplets’ addresses', 'hosts.ini')
  .option('-c, --config <file>', 'YAML variables file', 'config.cfg')
  .option('-o, --out <directory>', 'where the client’s files go', 'client/generated')
  .option(
    '-C, --check',
    'change nothing, only say what would be made, what it costs and what would be changed',
    false,
  )
  .option('-T, --timeout <seconds>', 'for connecting to a host', duration, 10)
  .option('--accept-new', 'take and remember the host keys of hosts never seen before, unasked', false)
  .option('--api-url <url>', 'another API than DigitalOcean’s, such as the one of `lab.ts cloud`')
  .action(async (options: ProvisionOptions & SetUpOptions) => exitWith(await both(options)));

await main(program);
