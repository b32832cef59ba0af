/** Provisioning, then set-up: from config.cfg to a network that a client can join. */
import { command, EXIT, exitWith, main } from './lib/cli.ts';
import { ACCEPT_NEW, API_URL, CONFIG, check, INVENTORY, OUT, TIMEOUT } from './lib/steps/flags.ts';
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
  .option(...INVENTORY)
  .option(...CONFIG)
  .option(...OUT)
  .option(...check('change nothing, only say what would be made, what it costs and what would be changed'))
  .option(...TIMEOUT)
  .option(...ACCEPT_NEW)
  .option(...API_URL)
  .action(async (options: ProvisionOptions & SetUpOptions) => exitWith(await both(options)));

await main(program);
