/** All paths of the API. */
import type { Route } from './route.ts';
import { ACCOUNT_ROUTES } from './routes-account.ts';
import { ACTION_ROUTES } from './routes-actions.ts';
import { DROPLET_ROUTES } from './routes-droplets.ts';
import { TAG_ROUTES } from './routes-tags.ts';

export const ROUTES: readonly Route[] = [
  ...ACCOUNT_ROUTES,
  ...DROPLET_ROUTES,
  ...ACTION_ROUTES,
  ...TAG_ROUTES,
];
