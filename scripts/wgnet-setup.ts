import { command, exitWith, main } from './lib/cli.ts';
import { ACCEPT_NEW, CONFIG, check, INVENTORY, OUT, TIMEOUT } from './lib/steps/flags.ts';
import { withClientFlags } from './lib/steps/in-client.ts';
import { withModeFlags } from './lib/steps/mode-flags.ts';
import type { RotateOptions } from './lib/steps/rotating.ts';
import { withHostFlags, withPlayFlags } from './lib/steps/set-up-flags.ts';
import { asRun, documentRefusals } from './lib/steps/set-up-run.ts';
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
  .option(...ACCEPT_NEW);

withPlayFlags(withHostFlags(withModeFlags(documentRefusals(program)))).option(
  '--rotate-keys [pattern]',
  'new keys at both ends of each tunnel, or of those to these hosts, one after the other while they are in use; the client is asked for its half',
);
withClientFlags(program).action(async (options: SetUpOptions & RotateOptions) =>
  exitWith(
    await asRun('wgnet-setup', options, (run) =>
      options.rotateKeys === undefined
        ? setUp(options, run)
        : import('./lib/steps/rotating.ts').then(({ rotate }) => rotate(options, run)),
    ),
  ),
);

await main(program);
