import { command, duration, exitWith, main } from './lib/cli.ts';
import { ACCEPT_NEW, CONFIG, INVENTORY, OUT, TIMEOUT } from './lib/steps/flags.ts';
import { withClientFlags } from './lib/steps/in-client.ts';
import { withModeFlags } from './lib/steps/mode-flags.ts';
import { withHostFlags } from './lib/steps/set-up-flags.ts';
import { type StatusOptions, showStatus } from './lib/steps/status.ts';

const HELP = `
A row a tunnel, from the client's end and from the server's: the last handshake, bytes up (client to server) and
down, the current path (▸), what wgnet-setup.ts --check says of the server (drift), keys that the two ends do not
know of each other, and files of the client's that a set-up would write otherwise. Nothing is changed.

--watch: again every 2 s, or so many, over connections that stay open; hosts.ini and config.cfg are read once.
On a terminal each round replaces the one before; in a pipe it follows, with --json as one line. Ctrl-C ends it
with the exit code of its last round.

--prometheus: the text format 0.0.4, for the node exporter's textfile collector; there is no port to scrape:
  npx zx scripts/status.ts --prometheus >/var/lib/…/comps.prom.new && mv …
The text tells what is wrong (comps_well, comps_findings and more), the exit code does not: it is 0 for every text.

Exit 0: all is well. 2: something is not: drift, a tunnel missing or without a handshake for 180 s, keys or files
that do not fit, a client or its files in another mode. 4: a server, or a client that was named, does not answer. 1: a flag or a file is not as needed.`;

const program = withHostFlags(
  withModeFlags(
    command('status.ts', 'Says how each tunnel is, at both of its ends.')
      .option(...INVENTORY)
      .option(...CONFIG)
      .option(...OUT)
      .option(...TIMEOUT)
      .option(...ACCEPT_NEW),
  ),
)
  .option('-w, --watch [seconds]', 'again and again, until Ctrl-C', duration)
  .option('--json', 'one JSON document, for programs (scripts/lib/status/status.ts has its shape)')
  .option('--prometheus', 'metrics for Prometheus');

await main(
  withClientFlags(program)
    .addHelpText('after', HELP)
    .action(async (options: StatusOptions) => exitWith(await showStatus(options))),
);
