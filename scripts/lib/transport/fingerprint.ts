import { createHash } from 'node:crypto';

/** MD5 of a public key's blob with colons, `3b:16:bf:…`, as DigitalOcean knows keys. */
export const md5Of = (blob: Buffer): string =>
  createHash('md5')
    .update(blob)
    .digest('hex')
    .replace(/..(?=.)/g, '$&:');
