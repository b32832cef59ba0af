/** Debian packages that commands of this project need on the computer itself. */
import { EXIT, Fault } from '../cli.ts';
import { attempt, run } from '../transport/local.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
const FORMAT = '${db:Status-Abbrev}${Package}\n';
const INSTALL = ['apt-get', 'install', '-y', '-q', '--no-install-recommends'];

/** The names that dpkg-query's listing (`ii  bash`) does not show as installed. */
export function missingFrom(listing: string, names: readonly string[]): string[] {
  const installed = new Set(
    listing
      .split('\n')
      .filter((line) => line.startsWith('ii'))
      .map((line) => line.slice(3).trim()),
  );
  return names.filter((name) => !installed.has(name));
}

/** Installs those of these Debian packages that are missing, and says so in a line; a Fault where it cannot. */
export async function ensurePackages(names: readonly string[]): Promise<void> {
  const listing = await attempt(['dpkg-query', '-W', '-f', FORMAT, ...names]);
  const missing = missingFrom(listing.stdout, names);
  if (missing.length === 0) return;
  const byHand = `sudo apt-get update && sudo apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (listing.code === 127)
    throw new Fault({ what: `this needs Debian or a system like it, with: ${missing.join(', ')}` });
  if (process.getuid?.() !== 0)
    throw new Fault({ what: `missing Debian packages: ${missing.join(', ')}`, next: byHand });
  console.error(`Installing ${missing.join(', ')} (Debian packages, with apt-get)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if ((await attempt([...INSTALL, ...missing], { env })).code === 0) return;
  // Lists of packages that are missing or old are the usual cause.
  await run(['apt-get', '-q', 'update'], { env });
  const { code, stderr } = await attempt([...INSTALL, ...missing], { env });
  if (code === 0) return;
  throw new Fault({
    what: `apt-get cannot install ${missing.join(', ')}: ${stderr.trim().split('\n').slice(-2).join(' / ')}`,
    next: byHand,
    code: EXIT.refused,
  });
}
