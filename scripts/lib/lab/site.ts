/** Writes the lab's web sites, which the machine `inet` sees under /site. */
import { join } from 'node:path';
import { makeDirectory, remove, setMode, writeBytes, writeText } from '../files.ts';
import { makeCertificate, trustPolicy } from '../tls/certificate.ts';
import { run } from '../transport/local.ts';
import { pagesOf } from './site-pages.ts';
import { nginxConf, SITE_NAMES, SITES, type SiteName } from './sites.ts';

function folderFor(path: string, mode = 0o755): string {
  makeDirectory(path);
  setMode(path, mode);
  return path;
}

/** The big files of www are holes, so they cost no disk. */
async function makeHoles(folder: string): Promise<void> {
  for (const size of ['1', '10', '100']) await run(['truncate', '-s', `${size}M`, join(folder, `${size}m`)]);
}

/** The sites' certificate, and in the lab's own folder what is to trust it: `site-ca.pem`, and `site-ca.json` for Chromium. */
async function makeTrust(directory: string, tls: string): Promise<void> {
  const work = folderFor(join(directory, 'tls-work'), 0o700);
  const { authority, certificate, key } = await makeCertificate(work, 'CoMPS lab', SITE_NAMES);
  remove(work);
  writeText(join(tls, 'site.crt'), certificate);
  writeText(join(tls, 'site.key'), key, 0o600);
  writeText(join(directory, 'site-ca.pem'), authority);
  writeText(join(directory, 'site-ca.json'), trustPolicy(authority));
}

/** Makes the sites in a lab's folder. */
export async function makeSites(directory: string, ipv6 = false): Promise<void> {
  const folder = folderFor(join(directory, 'site'));
  const certified = makeTrust(directory, folderFor(join(folder, 'tls'), 0o700));
  for (const site of Object.keys(SITES) as SiteName[]) {
    const pages = folderFor(join(folder, site));
    for (const [path, content] of pagesOf(site)) writeBytes(join(pages, path), content);
  }
  writeText(join(folder, 'nginx.conf'), nginxConf(ipv6));
  await Promise.all([certified, makeHoles(join(folder, 'www'))]);
}
