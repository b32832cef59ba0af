/** Account, keys, and what there is to choose from. */
import { md5Of } from '../../transport/fingerprint.ts';
import { CATALOGUE, imageOf } from './catalogue.ts';
import { badRequest, notFound, unprocessable } from './refusal.ts';
import { lists, type Route, route, shows } from './route.ts';
import type { AccountKey } from './types.ts';
import { keyView, listedImages, sizeViews, vpcViews } from './views.ts';

const ACCOUNT = {
  ...{ floating_ip_limit: 5, email: 'lab@example.org', name: 'CoMPS lab', email_verified: true },
  uuid: 'b6fr89dbf6d9156cace5f3c78dc9851d957381ef',
  team: { uuid: '5df3e3004a17e242b7c20ca6c9fc25b701a47ece', name: 'My Team' },
};

const KEY = '/v2/account/keys/{ssh_key_identifier}';
const MOST_KEY_TYPES = /^(ssh-(rsa|ed25519)|ecdsa-sha2-nistp(256|384|521)) ([A-Za-z0-9+/]+=*)(\s|$)/;

/** The fingerprint that the API knows a public key by: MD5 with colons; undefined for a text that is no key. */
export function md5Fingerprint(publicKey: string): string | undefined {
  const blob = MOST_KEY_TYPES.exec(publicKey)?.[4];
  return blob === undefined ? undefined : md5Of(Buffer.from(blob, 'base64'));
}

function keyIn(body: unknown): Omit<AccountKey, 'id'> {
  const { name, public_key: publicKey } = (body ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || typeof publicKey !== 'string')
    throw badRequest('name and public_key are needed');
  const fingerprint = md5Fingerprint(publicKey);
  if (fingerprint === undefined) throw unprocessable('Key invalid, key should be a valid SSH public key');
  return { name, publicKey, fingerprint };
}

export const ACCOUNT_ROUTES: Route[] = [
  shows('/v2/account', 'account:read', (_, { dropletLimit, account }) => ({
    account: { droplet_limit: dropletLimit(), ...ACCOUNT, ...account },
  })),
  lists('/v2/account/keys', 'ssh_key:read', 'ssh_keys', (_, { store }) => store.keys.map(keyView)),
  route('POST', '/v2/account/keys', 'ssh_key:create', ({ body }, { store }) => {
    const key = keyIn(body);
    if (store.key(key.fingerprint)) throw unprocessable('SSH Key is already in use on your account');
    return () => {
      const added = { id: store.next.key++, ...key };
      store.keys.push(added);
      store.changed();
      return { status: 201, body: { ssh_key: keyView(added) } };
    };
  }),
  shows(KEY, 'ssh_key:read', ({ ids: [id = ''] }, { store }) => {
    const key = store.key(id);
    if (key === undefined) throw notFound();
    return { ssh_key: keyView(key) };
  }),
  route('DELETE', KEY, 'ssh_key:delete', ({ ids: [id = ''] }, { store }) => {
    const key = store.key(id);
    if (key === undefined) throw notFound();
    return () => {
      store.keys.splice(store.keys.indexOf(key), 1);
      store.changed();
      return { status: 204 };
    };
  }),
  lists('/v2/regions', 'regions:read', 'regions', () => CATALOGUE.regions),
  lists('/v2/sizes', () => ['sizes:read', 'regions:read'], 'sizes', sizeViews),
  lists('/v2/images', 'image:read', 'images', ({ query }) => {
    if (query.get('private') === 'true') return listedImages().filter((image) => !image.public);
    if (query.get('type') === 'application' || query.has('tag_name')) return [];
    const distributionOnly = query.get('type') === 'distribution';
    return listedImages().filter((image) => image.public || !distributionOnly);
  }),
  shows('/v2/images/{image_id}', 'image:read', ({ ids: [id = ''] }) => {
    const image = imageOf(id);
    if (image === undefined) throw notFound();
    return { image };
  }),
  lists('/v2/vpcs', 'vpc:read', 'vpcs', vpcViews),
  // There are none; clients ask for them all the same.
  lists('/v2/firewalls', 'firewall:read', 'firewalls', () => []),
];
