/** The door to nftables. */
import { EXIT, Fault, messageOf } from './fault.ts';
import { ask } from './process.ts';

const INSTALL = 'apt-get install nftables';

/** Characters of what `nft` says that are worth reading: it repeats the whole line that it does not like. */
const MOST_SAID = 300;

/** What `nft` prints; throws a Fault where there is none or it refuses. */
export function askNft(...words: string[]): string {
  return ask(['nft', ...words], INSTALL);
}

/** Loads rules in one transaction: all of them, or none where this throws its Fault. */
export function loadRules(text: string): void {
  try {
    // Not half a second later, should this process be killed meanwhile.
    ask(['setpriv', '--pdeathsig', 'KILL', '--', 'nft', '-f', '-'], INSTALL, text);
  } catch (error) {
    const [first = ''] = messageOf(error)
      .replace(/^.*?nft -f -: /s, '')
      .split('\n');
    throw new Fault({ at: 'nft', what: first.slice(0, MOST_SAID), next: INSTALL, code: EXIT.failed });
  }
}

/** Whether there is a table of this name in the family `inet`; throws a Fault where nftables cannot be asked. */
export function tableThere(name: string): boolean {
  const { nftables } = JSON.parse(askNft('-j', 'list', 'tables')) as {
    nftables: { table?: { family: string; name: string } }[];
  };
  return nftables.some(({ table }) => table?.family === 'inet' && table.name === name);
}
