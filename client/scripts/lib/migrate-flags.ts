/** What migrate.ts can be told. */
import type { Command } from 'commander';
import { command } from './command.ts';
import { decimal, whole } from './flags.ts';
import { namesIn } from './interfaces.ts';
import { TABLE } from './migration.ts';
import { type Mode, modeFlag } from './mode.ts';
import {
  batchFlag,
  firstFlag,
  modePeriodFlag,
  orderFlag,
  refuseFlags,
  STRATEGY_HELP,
  seedFlag,
  strategyFlag,
  weightsFlag,
} from './schedule-flags.ts';
import {
  isTimed,
  KERNEL,
  type KernelName,
  type Order,
  requireExtras,
  TIMED,
  type TimedName,
} from './strategy.ts';

/** As given; the period is the mode's own where none is. */
export interface GivenFlags {
  mode?: Mode;
  strategy: TimedName | KernelName;
  period?: number;
  seed?: number;
  first: number | 'random';
  weights?: number[];
  order?: Order;
  batch?: [number, number];
  interfaces?: string[];
  duration?: number;
  switches?: number;
  log?: string;
  plan?: number;
  hold?: true;
  schedule?: string;
  repeat?: true;
  health: boolean;
  detach?: true;
  stop?: true;
}

export type MigrateFlags = GivenFlags & { period: number };

const HELP = `
${STRATEGY_HELP}
hywf is offline only (split.ts), as both ends would have to split.

In time, each choice moves table ${TABLE}'s route: of wg0's packets, or in mode quic of all that programs send. In mode quic
there is no split by packet: a server would take each packet for a migration.

By packet, the kernel splits what wg0 sends (nftables, table comps_split): this program
stays to watch and ends it; killed outright it leaves the split in force, until --stop, the next migrate.ts or
setup.sh down. A split by packet begins again after its cycle: 65536 packets, 1048576 with bwr, a round with --order rr.
Meanwhile wireguard-go hands over wg0's packets one by one, which costs it throughput.

A path is left out while its interface is gone or down, its last handshake is 180 s old and it asks in vain for another,
or nothing came back for 25 s though data went out: its entries stay on the current path, or go to the next one that is not left out. Where all are,
the route stays and nothing gets out.

SIGTERM or Ctrl-C is the normal end: exit 0, the last route stays. Exit 2: no path could be set at all, a split was taken
away by somebody else, or lines of the log were lost.`;

export const migrateProgram = (): Command =>
  command(
    'migrate.ts',
    'Spreads what the client sends over the tunnels: path by path in time, or packet by packet.',
  )
    .addOption(strategyFlag('rr', [...TIMED, ...KERNEL]))
    .addOption(modePeriodFlag())
    .addOption(seedFlag('the same number gives the same schedule (default: random, and logged)'))
    .addOption(firstFlag())
    .addOption(weightsFlag())
    .addOption(orderFlag())
    .addOption(batchFlag())
    .option(
      '--interfaces <names>',
      'tunnels to use, as in wgnet1,wgnet2 (default: every wgnetN there is)',
      namesIn,
    )
    .option(
      '--duration <seconds>',
      'end after this time (default: at a signal)',
      decimal('--duration', { min: 0.001, max: 1e9, of: 'of seconds' }),
    )
    .option(
      '--switches <number>',
      'end after this many choices, the first path not counted (default: at a signal)',
      whole('--switches', { min: 0, max: 1e12 }),
    )
    .addOption(modeFlag())
    .option('--log <file>', 'append the switch log, JSON lines, to this file (default: standard output)')
    .option(
      '--plan <number>',
      'print this many entries of the schedule (by packet: packets) and touch nothing',
      whole('--plan', { min: 0, max: 1e6 }),
    )
    .option('--schedule <file>', 'carry out this one, of --plan, schedule.ts or a switch log, and end')
    .option('--repeat', 'with --schedule: again and again')
    .option('--no-health', 'leave no path out, whatever becomes of it')
    .option('--detach', 'by packet: end at once and leave the split in force, unwatched')
    .option('--stop', 'end a split that --detach or a killed migrate.ts left')
    .option(
      '--hold',
      'begin at the first line on standard input, and log that it waits; for programs that start it',
    )
    .addHelpText('after', HELP);

/** Refuses flags that say nothing beside others, instead of leaving them unheard. */
export function checkFlags(program: Command, flags: GivenFlags): void {
  const given = (...names: string[]): string[] =>
    names.filter((name) => program.getOptionValueSource(name) === 'cli');
  const drawn = ['strategy', 'period', 'seed', 'first', 'weights', 'order', 'batch', 'interfaces'];
  const { strategy, weights, order, batch } = flags;
  if (flags.stop) {
    refuseFlags(
      given(...drawn, 'duration', 'switches', 'plan', 'schedule', 'detach', 'hold'),
      '--stop begins nothing',
    );
    return;
  }
  if (flags.schedule !== undefined) {
    refuseFlags(given(...drawn, 'plan', 'hold', 'detach'), 'with --schedule the file says it all');
    return;
  }
  refuseFlags(given('repeat'), 'there is no --schedule to repeat');
  requireExtras(strategy, { weights, order, batch });
  if (isTimed(strategy)) refuseFlags(given('detach'), `${strategy} needs this program at each choice`);
  else refuseFlags(given('period', 'switches'), `${strategy} counts packets, not seconds`);
  if (flags.detach) refuseFlags(given('duration', 'plan', 'hold'), 'with --detach nobody waits for it');
}
