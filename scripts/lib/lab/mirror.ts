/** Where the lab's Debian comes from: the mirror that this computer's own apt is set up with. */
import { Fault } from '../cli.ts';
import { attempt, run } from '../transport/local.ts';

/** The Debian mirror in the lines `ORIGIN|LABEL|COMPONENT|SITE` of `apt-get indextargets`; security's is another. */
export function mirrorIn(targets: string): string | undefined {
  const rows = targets.split('\n').map((line) => line.split('|'));
  return rows.find(
    ([origin, label, part]) => origin === 'Debian' && label === 'Debian' && part === 'main',
  )?.[3];
}

const askApt = async (): Promise<string | undefined> => {
  const format = '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(SITE)';
  const { stdout } = await attempt(['apt-get', 'indextargets', '--format', format, 'Created-By: Packages']);
  return mirrorIn(stdout);
};

/** The mirror's URL: as given, else from COMPS_LAB_MIRROR, else apt's own; a Fault where there is none. */
export async function findMirror(given?: string): Promise<string> {
  const named = given ?? process.env.COMPS_LAB_MIRROR;
  if (named) return named;
  const known = await askApt();
  if (known !== undefined) return known;
  // A fresh system has not fetched any list yet.
  await run(['apt-get', '-q', 'update']);
  const fetched = await askApt();
  if (fetched !== undefined) return fetched;
  throw new Fault({
    what: "this computer's apt names no Debian mirror, and the lab's machines are Debian",
    next: 'name one that has Debian 13 (trixie): npx zx scripts/lab.ts up --mirror URL (or COMPS_LAB_MIRROR=URL)',
  });
}
