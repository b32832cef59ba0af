/** Provisioning, then set-up: from config.cfg to a network that a client can join. */
import { command, EXIT, exitWith, main } from './lib/cli.ts';
import { print } from './lib/progress.ts';
import { ACCEPT_NEW, API_URL, CONFIG, check, INVENTORY, OUT, TIMEOUT } from './lib/steps/flags.ts';
import { foresee } from './lib/steps/foreseeing.ts';
import { withModeFlags } from './lib/steps/mode-flags.ts';
import { type ProvisionOptions, provision } from './lib/steps/provisioning.ts';
import { withHostFlags, withPlayFlags } from './lib/steps/set-up-flags.ts';
import { asRun, documentRefusals, type Run } from './lib/steps/set-up-run.ts';
import { type SetUpOptions, setUp } from './lib/steps/setting-up.ts';

async function both(options: ProvisionOptions & SetUpOptions, run: Run): Promise<number> {
  const { listHosts, listTasks, listTags } = options;
  // A list is of what hosts.ini has now.
  if (listHosts || listTasks || listTags) return setUp(options, run);
  run.document.mode = foresee(options).mode;
  const { code, missing } = await provision(options, (droplet) => run.document.droplets.push(droplet));
  if (code !== EXIT.ok) return code;
  if (missing > 0) {
    print('\nSet-up comes once the droplets are there; what it would change cannot be known before.');
    return EXIT.ok;
  }
  print('');
  return setUp(options, run);
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
  .option(...API_URL);

withPlayFlags(withHostFlags(withModeFlags(documentRefusals(program))))
  .addHelpText(
    'after',
    '\nThe flags from --limit on are for the set-up; provisioning makes what config.cfg names. They are judged before it.',
  )
  .action(async (options: ProvisionOptions & SetUpOptions) =>
    exitWith(await asRun('main', options, (run) => both(options, run))),
  );

await main(program);
