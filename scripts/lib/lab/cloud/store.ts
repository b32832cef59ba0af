/** What the local API knows: droplets, actions, tags, keys. */

export interface AccountKey {
  id: number;
  /** MD5 with colons, as the API knows keys. */
  fingerprint: string;
  name: string;
  publicKey: string;
}

export interface DropletRecord {
  id: number;
  name: string;
  region: string;
  size: string;
  /** Its image's number. */
  image: number;
  status: 'new' | 'active' | 'off';
  /** Milliseconds since the epoch. */
  created: number;
  /** As they are written in the list of tags. */
  tags: string[];
  features: string[];
  /** Addresses that are shown; they come late. */
  privateIp?: string;
  publicIp?: string;
  deleting: boolean;
}

export interface ActionRecord {
  id: number;
  type: string;
  status: 'in-progress' | 'completed' | 'errored';
  /** Milliseconds since the epoch. */
  started: number;
  completed: number | null;
  droplet: number;
  region: string;
}

/** All of it, as JSON. */
export interface State {
  droplets: DropletRecord[];
  actions: ActionRecord[];
  tags: string[];
  keys: AccountKey[];
  /** The numbers that the next ones get. */
  next: { droplet: number; action: number; key: number };
}

export interface Store extends State {
  droplet(id: number): DropletRecord | undefined;
  key(id: string): AccountKey | undefined;
  newAction(type: string, droplet: DropletRecord): ActionRecord;
  /** A droplet's actions in progress. */
  open(droplet: DropletRecord): ActionRecord[];
  finish(action: ActionRecord, status: 'completed' | 'errored'): void;
  /** The tag as it is written already, or as it is now for the first time. Capitals make no other tag. */
  tag(name: string): string;
  findTag(name: string): string | undefined;
  tagged(name: string): DropletRecord[];
  /** Tells of a change. */
  changed(): void;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export function openStore(keys: readonly AccountKey[], given?: State, save?: (state: State) => void): Store {
  const state: State = structuredClone(
    given ?? {
      ...{ droplets: [], actions: [], tags: [], keys: [] },
      next: { droplet: 515_000_001, action: 2_600_000_001, key: 47_000_001 },
    },
  );
  // The account's own keys are given at each start.
  const added = state.keys.filter(({ id }) => !keys.some((key) => key.id === id));
  state.keys = [...structuredClone([...keys]), ...added];

  const store: Store = {
    ...state,
    droplet: (id) => store.droplets.find((one) => one.id === id),
    key: (id) => store.keys.find((key) => String(key.id) === id || key.fingerprint === id),
    newAction: (type, { id: droplet, region }) => {
      const id = store.next.action++;
      const started = Date.now();
      const action: ActionRecord = {
        ...{ id, type, status: 'in-progress', started, completed: null, droplet, region },
      };
      store.actions.push(action);
      return action;
    },
    open: ({ id }) => store.actions.filter((one) => one.droplet === id && one.status === 'in-progress'),
    finish: (action, status) => {
      if (action.status !== 'in-progress') return;
      action.status = status;
      action.completed = Date.now();
    },
    findTag: (name) => store.tags.find((tag) => same(tag, name)),
    tag: (name) => {
      const known = store.findTag(name);
      if (known === undefined) store.tags.push(name);
      return known ?? name;
    },
    tagged: (name) => store.droplets.filter(({ tags }) => tags.some((tag) => same(tag, name))),
    changed: () => {
      const { droplets, actions, tags, keys: all, next } = store;
      save?.(structuredClone({ droplets, actions, tags, keys: all, next }));
    },
  };
  return store;
}
