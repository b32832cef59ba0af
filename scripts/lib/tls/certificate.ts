/** A certificate for a site of ours, by an authority that is forgotten as soon as it has signed it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Fault } from '../cli.ts';
import { readText, writeText } from '../files.ts';
import { fromTemplate } from '../template.ts';
import { attempt, run } from '../transport/local.ts';

const DAYS = '3650';

/** Refuses where there is no openssl; `site` says whose certificate it is wanted for. */
export async function requireOpenssl(site: string): Promise<void> {
  if ((await attempt(['openssl', 'version'])).code === 0) return;
  throw new Fault({
    what: `openssl is missing: it makes the certificate of ${site}`,
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
const opensslConfig = (names: readonly string[]): string =>
  fromTemplate('openssl.cnf', {
    permitted: names.map((name) => `permitted;DNS:${name}`).join(', '),
    alternatives: names.map((name) => `DNS:${name}`).join(', '),
  });

/** In PEM. */
export interface SiteCertificate {
  /** The authority’s certificate; its key is never written anywhere. */
  authority: string;
  certificate: string;
  key: string;
}

/**
 * Makes a certificate for these names, with a folder of its own to work in; `issuer` is what the authority is called.
 * Keys come to openssl by its standard input.
 */
export async function makeCertificate(
  folder: string,
  issuer: string,
  names: readonly string[],
): Promise<SiteCertificate> {
  const file = (name: string): string => join(folder, name);
  const keys = { authority: newKey(), site: newKey() };
  const [config, authority, request] = [file('openssl.cnf'), file('authority.crt'), file('site.csr')];
  // By way of cat: Node’s own pipe to a process is a socket, which cannot be opened as /dev/stdin.
  const openssl = (key: string, ...words: string[]): Promise<string> =>
    run(['sh', '-c', 'cat | openssl "$@"', 'sh', ...words], { input: key });
  const forNew = (name: string): string[] => ['-new', '-key', '/dev/stdin', '-config', config, '-subj', name];

  writeText(config, opensslConfig(names));
  const asAuthority = ['-x509', '-extensions', 'authority', '-days', DAYS];
  writeText(authority, await openssl(keys.authority, 'req', ...forNew(`/CN=${issuer}`), ...asAuthority));
  writeText(request, await openssl(keys.site, 'req', ...forNew(`/CN=${names[0]}`)));
  const signing = ['-CA', authority, '-CAkey', '/dev/stdin', '-days', DAYS, '-sha256'];
  const serial = ['-set_serial', `0x00${randomBytes(16).toString('hex')}`];
  const extensions = ['-extfile', config, '-extensions', 'site'];
  const words = ['x509', '-req', '-in', request, ...signing, ...serial, ...extensions];
  const certificate = await openssl(keys.authority, ...words);
  return { authority: readText(authority), certificate, key: keys.site };
}

/** Chromium's policy by which it trusts an authority (PEM) in addition to its own. */
export const trustPolicy = (authority: string): string =>
  `${JSON.stringify({ CACertificates: [authority.replace(/-----[^-]+-----|\s/g, '')] }, null, 2)}\n`;
