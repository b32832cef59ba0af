/** All that is ever asked of DigitalOcean: verb, path, the token's scopes, and how the answer is read. */
import type { Account, CloudApi, Droplet, DropletOrder, Image, Region, Size, SshKey } from './api.ts';
import type { Call } from './carry.ts';
import { PER_PAGE } from './pages.ts';
import { type Page, REPLIES } from './replies.ts';
import { bodyOf, checkedId, checkedTag, pathPart } from './request.ts';
import type { Dots } from './wire.ts';

const CREATE_SCOPES = ['droplet:create', 'image:read', 'ssh_key:read', 'tag:create', 'vpc:read'] as const;

const GET = 'GET' as const;
const none = (): undefined => undefined;

/** Calls, not yet sent. */
export const callsOf = (dots: Dots) => ({
  account: (): Call<Account> => ({
    ...{ verb: GET, path: '/account', scopes: ['account:read'] },
    send: () => dots.account.getAccount(),
    reads: REPLIES.account,
  }),
  sshKey: (id: string): Call<SshKey | undefined> => {
    const key = pathPart(id);
    return {
      ...{ verb: GET, path: `/account/keys/${key}`, scopes: ['ssh_key:read'], missing: none },
      send: () => dots.sshKey.getSshKey({ ssh_key_id: key }),
      reads: REPLIES.sshKey,
    };
  },
  regions: (page: number): Call<Page<Region>> => ({
    ...{ verb: GET, path: '/regions', scopes: ['regions:read'] },
    send: () => dots.region.listRegions({ page, per_page: PER_PAGE }),
    reads: REPLIES.regions,
  }),
  sizes: (page: number): Call<Page<Size>> => ({
    ...{ verb: GET, path: '/sizes', scopes: ['sizes:read', 'regions:read'] },
    send: () => dots.size.listSizes({ page, per_page: PER_PAGE }),
    reads: REPLIES.sizes,
  }),
  image: (id: string): Call<Image | undefined> => {
    const slug = pathPart(id);
    return {
      ...{ verb: GET, path: `/images/${slug}`, scopes: ['image:read'], missing: none },
      send: () => dots.image.getImage({ slug }),
      reads: REPLIES.image,
    };
  },
  droplets: (tag: string | undefined, page: number): Call<Page<Droplet>> => {
    const chosen = checkedTag(tag);
    return {
      ...{ verb: GET, path: '/droplets', scopes: ['droplet:read'] },
      send: () => dots.droplet.listDroplets({ ...chosen, page, per_page: PER_PAGE }),
      reads: REPLIES.droplets,
    };
  },
  droplet: (id: number): Call<Droplet | undefined> => {
    const droplet_id = checkedId(id);
    return {
      ...{ verb: GET, path: `/droplets/${droplet_id}`, scopes: ['droplet:read'], missing: none },
      send: () => dots.droplet.getDroplet({ droplet_id }),
      reads: REPLIES.droplet,
    };
  },
  create: (order: DropletOrder): Call<Awaited<ReturnType<CloudApi['create']>>> => {
    const body = bodyOf(order);
    return {
      ...{ verb: 'POST', path: '/droplets', scopes: CREATE_SCOPES },
      send: () => dots.droplet.createDroplet(body),
      reads: REPLIES.created,
    };
  },
  action: (id: number): Call<Awaited<ReturnType<CloudApi['action']>>> => {
    const action_id = checkedId(id);
    return {
      ...{ verb: GET, path: `/actions/${action_id}`, scopes: ['actions:read'] },
      send: () => dots.action.getAction({ action_id }),
      reads: REPLIES.action,
      // An accepted create's action may be unknown for a moment.
      missing: () => 'in-progress',
    };
  },
  createAction: (id: number): Call<number | undefined> => {
    const droplet_id = checkedId(id);
    return {
      ...{ verb: GET, path: `/droplets/${droplet_id}/actions`, scopes: ['droplet:read'], missing: none },
      // Its first action, so on the first page of a droplet that is new.
      send: () => dots.droplet.listDropletActions({ droplet_id, page: 1, per_page: PER_PAGE }),
      reads: REPLIES.createAction,
    };
  },
  remove: (id: number): Call<Awaited<ReturnType<CloudApi['remove']>>> => {
    const droplet_id = checkedId(id);
    return {
      ...{ verb: 'DELETE', path: `/droplets/${droplet_id}`, scopes: ['droplet:delete'] },
      send: () => dots.droplet.deleteDroplet({ droplet_id }),
      reads: REPLIES.removed,
      missing: () => 'gone',
    };
  },
});
