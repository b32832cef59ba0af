/** A local DigitalOcean API: answers as api.digitalocean.com does for what this project and other clients of droplets use. */
import type { AddressInfo } from 'node:net';
import { Fault } from '../../cli.ts';
import { CATALOGUE, imageOf } from './catalogue.ts';
import { createDispatch, type DispatchSettings } from './dispatch.ts';
import { type Document, loadDocument } from './document.ts';
import { faultQueue } from './fault-queue.ts';
import { createLife, USUAL_DELAYS } from './life.ts';
import { createLimiter, USUAL_LIMITS } from './limits.ts';
import { ROUTES } from './routes.ts';
import { createApiServer } from './server.ts';
import { type DropletRecord, openStore } from './store.ts';
import type { Cloud, CloudOptions, SeenDroplet, SeenRequest } from './types.ts';

const limitOf = (limit: number | (() => number)) => (): number =>
  typeof limit === 'number' ? limit : limit();

const seenDroplet = (one: DropletRecord): SeenDroplet => ({
  ...{ id: one.id, name: one.name, region: one.region, size: one.size, status: one.status },
  ...{ image: imageOf(one.image, CATALOGUE)?.slug ?? String(one.image), tags: [...one.tags] },
  ...{ publicIp: one.publicIp, privateIp: one.privateIp, deleting: one.deleting },
});

export function createCloud(options: CloudOptions): Cloud {
  const { machines, token, keys, spec, save, restored, dropletLimit = 25, lenient = false } = options;
  const { account = { status: 'active', status_message: '' } } = options;
  const store = openStore(keys, restored, save);
  const faults = faultQueue(options.faults);
  const life = createLife(store, machines, { ...USUAL_DELAYS, ...options.delays });
  const requests: SeenRequest[] = [];
  const violations: string[] = [];
  const waiting = new Set<NodeJS.Timeout>();
  const settings: DispatchSettings = {
    ...{
      routes: ROUTES,
      world: { store, life, faults, account, dropletLimit: limitOf(dropletLimit) },
      document: undefined,
      lenient,
      violations,
    },
  };
  const limiter = createLimiter({ ...USUAL_LIMITS, ...options.limits });
  let server: ReturnType<typeof createApiServer> | undefined;

  return {
    requests,
    violations,
    droplets: () => store.droplets.map(seenDroplet),
    addFault: faults.add,
    clearFaults: faults.clear,

    listen: async (port = 0, host = '127.0.0.1') => {
      const document: Document | undefined = spec === undefined ? undefined : await loadDocument(spec);
      const dispatch = createDispatch({ ...settings, document });
      const made = createApiServer({ token, limiter, requests, dispatch }, waiting);
      await new Promise<void>((resolve, reject) => {
        made.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            new Fault({ at: `${host}:${port}`, what: `the local API cannot listen there (${error.code})` }),
          ),
        );
        made.listen(port, host, resolve);
      });
      server = made;
      life.resume();
      return `http://${host}:${(made.address() as AddressInfo).port}/v2`;
    },

    close: async () => {
      for (const timer of waiting) clearTimeout(timer);
      const closed = new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
      server?.closeAllConnections();
      await Promise.all([closed, life.stop()]);
    },
  };
}
