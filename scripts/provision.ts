/** Creates the droplets that config.cfg names, and writes them into hosts.ini. */
import { command, EXIT, exitWith, main } from './lib/cli.ts';
import { ACCEPT_NEW, API_URL, CONFIG, check, INVENTORY, TIMEOUT } from './lib/steps/flags.ts';
import { sameFilesHint } from './lib/steps/hints.ts';
import { withModeFlag } from './lib/steps/mode-flags.ts';
import { type ProvisionOptions, provision } from './lib/steps/provisioning.ts';

async function run(options: ProvisionOptions): Promise<number> {
  const { code } = await provision(options);
  if (code === EXIT.ok && !options.check) console.log(`\nnext:    ${sameFilesHint('wgnet-setup', options)}`);
  return code;
}

const program = withModeFlag(
  command('provision', 'create the DigitalOcean droplets of config.cfg and write them into hosts.ini'),
)
  .option(...INVENTORY)
  .option(...CONFIG)
  .option(...check('make nothing, only say what would be made and what it costs'))
  .option(...TIMEOUT)
  .option(...ACCEPT_NEW)
  .option(...API_URL)
  .action(async (options: ProvisionOptions) => exitWith(await run(options)));

await main(program);
