/** A droplet's own package folder, made into an apt source. */
import { basename, join } from 'node:path';
import { list, writeText } from '../files.ts';
import { run } from '../transport/local.ts';

export interface Package {
  /** Its control fields, as `dpkg-deb -f` prints them. */
  control: string;
  file: string;
  /** Bytes. */
  size: number;
  sha256: string;
}

/** The text of the `Packages` file of an apt source. */
export const packagesIndex = (packages: readonly Package[]): string =>
  packages
    .map(
      ({ control, file, size, sha256 }) =>
        `${control.trimEnd()}\nFilename: ./${file}\nSize: ${size}\nSHA256: ${sha256}\n\n`,
    )
    .join('');

async function describe(path: string): Promise<Package> {
  const [control, sum, size] = await Promise.all([
    run(['dpkg-deb', '-f', path]),
    run(['sha256sum', path]),
    run(['stat', '-c', '%s', path]),
  ]);
  return { control, file: basename(path), size: Number(size), sha256: sum.split(' ')[0] ?? '' };
}

/** Writes the index of all packages in a folder. */
export async function indexPool(folder: string): Promise<void> {
  const files = list(folder).filter((name) => name.endsWith('.deb'));
  const packages = await Promise.all(files.map((name) => describe(join(folder, name))));
  writeText(join(folder, 'Packages'), packagesIndex(packages));
}
