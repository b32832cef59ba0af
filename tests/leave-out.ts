/** What `npm test` leaves out, and why. */
import { Fault } from '../scripts/lib/cli.ts';

/** What a part of the tests may need of this computer. */
export type Need = 'lab' | 'docker';

/** `--no-lab` and `--no-docker`: false where given. */
export type Wish = Record<Need, boolean>;

/** COMPS_REQUIRE: what may not be left out, as in `docker,lab`. */
export function requiredIn(text: string): Set<Need> {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
  const unknown = words.find((word) => word !== 'lab' && word !== 'docker');
  if (unknown === undefined) return new Set(words as Need[]);
  throw new Fault({
    at: `COMPS_REQUIRE=${text}`,
    what: `nothing is called \`${unknown}\``,
    next: 'COMPS_REQUIRE=docker,lab, or one of them',
  });
}

/** What is left out, each with its reason; a Fault where that is required. Docker's tests need the lab too. */
export function leftOut(wish: Wish, required: ReadonlySet<Need>, hasDocker: boolean): Map<Need, string> {
  const reasons = new Map<Need, string>();
  if (!wish.lab) reasons.set('lab', 'as --no-lab asked').set('docker', 'as --no-lab asked');
  else if (!wish.docker) reasons.set('docker', 'as --no-docker asked');
  const refused = [...required].find((need) => reasons.has(need));
  if (refused !== undefined)
    throw new Fault({
      at: `COMPS_REQUIRE=${[...required].join(',')}`,
      what: `the ${refused} tests are required, and left out ${reasons.get(refused)}`,
      next: 'drop that flag, or unset COMPS_REQUIRE',
    });
  if (!hasDocker && !required.has('docker') && !reasons.has('docker'))
    reasons.set('docker', 'no dockerd on this computer; sudo apt-get install docker.io docker-compose');
  return reasons;
}
