/** What a set-up would refuse, found out before the droplets that it is for are made: they cost money. */

import { Fault } from '../cli.ts';
import type { Config } from '../config.ts';
import { readText } from '../files.ts';
import { withExtraVars } from '../inventory.ts';
import { keyFilesOf } from '../transport/key-files.ts';
import { readExtraVars } from './extra-vars.ts';
import { inventoryText } from './own-hosts.ts';
import { prospectOf } from './prospect.ts';
import { readConfig } from './read-config.ts';
import { requireAnswers, withFlags } from './set-up-access.ts';
import { chosenOf, serversOf } from './set-up-input.ts';
import { chosenTasks } from './set-up-tasks.ts';
import type { SetUpOptions } from './setting-up.ts';
import { readWanted } from './surveying.ts';

/** Judges the flags by hosts.ini as it will be; a Fault as the set-up would have it. Reads files, and asks nobody; config.cfg as it is read. */
export function foresee(options: SetUpOptions): Config {
  const { inventory: file, limit } = options;
  const config = readConfig(options.config, options);
  const extra = readExtraVars(options.extraVars ?? [], readText);
  const inventory = prospectOf(inventoryText(file), file, readWanted(config, options.config), config.mode);
  const hosts = serversOf(withExtraVars(inventory, extra.hosts), config);
  const chosen = chosenOf(inventory, hosts, limit);
  chosenTasks({ config, hosts, chosen, idle: [] }, options);
  requireAnswers(options);
  // The keys that hosts.ini or a flag names must be there, and be keys.
  for (const host of hosts.filter(({ name }) => chosen.has(name)))
    try {
      keyFilesOf(withFlags(host, options, undefined), file);
    } catch (error) {
      if (!(error instanceof Fault) || host.privateKeyFile !== undefined) throw error;
      throw new Fault({
        at: '--private-key',
        what: error.message.replace(/^.*?: the key for \S+: /, ''),
        next: 'name the file of a private key',
      });
    }
  return config;
}
