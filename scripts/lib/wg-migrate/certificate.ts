/** A certificate for the demo's site, by an authority that is forgotten as soon as it has signed it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { readText, remove, writeText } from '../files.ts';
import { fromTemplate } from '../template.ts';
import { attempt, run } from '../transport/local.ts';

const DAYS = '3650';

/** Refuses where there is no openssl. */
export async function requireOpenssl(): Promise<void> {
  if ((await attempt(['openssl', 'version'])).code === 0) return;
  throw new Fault({
    what: 'openssl is missing: it makes the certificate of the demo’s site',
    next: 'sudo apt-get install openssl',
  });
}

const newKey = (): string =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;

/** openssl's settings: names as it writes them, `DNS:example.org`. */
export const opensslConfig = (names: readonly string[]): string =>
  fromTemplate('wg-migrate/openssl.cnf', {
    permitted: names.map((name) => `permitted;DNS:${name}`).join(', '),
    alternatives: names.map((name) => `DNS:${name}`).join(', '),
  });

/**
 * Writes `site.key` and `site.crt` into a folder; the authority's certificate in PEM. Keys come to openssl in a
 * file of mode 0600 or by its standard input; the authority's is never written anywhere.
 */
export async function makeCertificate(folder: string, names: readonly string[]): Promise<string> {
  const file = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): Promise<string> => run(['openssl', ...words]);
  // By way of cat: Node’s own pipe to a process is a socket, which cannot be opened as /dev/stdin.
  const withKey = (key: string, ...words: string[]): Promise<string> =>
    run(['sh', '-c', 'cat | openssl "$@"', 'sh', ...words], { input: key });
  const request = file('site.csr');
  const authority = { key: newKey(), certificate: file('authority.crt') };
  const config = file('openssl.cnf');
  writeText(config, opensslConfig(names));
  writeText(file('site.key'), newKey(), 0o600);

  const about = ['-config', config, '-subj'];
  const asAuthority = ['-x509', '-new', '-key', '/dev/stdin', '-extensions', 'authority', '-days', DAYS];
  writeText(
    authority.certificate,
    await withKey(authority.key, 'req', ...asAuthority, ...about, '/CN=wg-migrate demo'),
  );
  writeText(request, await openssl('req', '-new', '-key', file('site.key'), ...about, `/CN=${names[0]}`));
  const signing = ['-CA', authority.certificate, '-CAkey', '/dev/stdin', '-days', DAYS];
  const serial = ['-set_serial', `0x00${randomBytes(16).toString('hex')}`];
  const extensions = ['-extfile', config, '-extensions', 'site'];
  writeText(
    file('site.crt'),
    await withKey(
      authority.key,
      'x509',
      '-req',
      '-sha256',
      ...['-in', request],
      ...signing,
      ...serial,
      ...extensions,
    ),
  );
  const pem = readText(authority.certificate);
  for (const done of [request, config, authority.certificate]) remove(done);
  return pem;
}
