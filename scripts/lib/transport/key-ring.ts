/** All keys for one host as one agent: key files and ssh-agent's, the named ones first, each offered once. */
import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import type { OfferedKey } from './ssh-options.ts';

const { BaseAgent, createAgent, utils } = ssh2;

/** Milliseconds for an ssh-agent's answer. One that is forwarded from a laptop asleep takes a question and says nothing. */
const AGENT_LIMIT = 3000;

/** Milliseconds for which one that said nothing is not asked again: each host would wait for it anew. */
const AGENT_REST = 60_000;

/** An ssh-agent that is there, and says nothing. */
export class SilentAgent extends Error {}

/** When each of them was silent, by its socket. */
const silent = new Map<string, number>();

/** The public keys that an ssh-agent has; rejects where it does not answer, with a {@link SilentAgent} where it is there. */
export const agentKeys = (socket: string, limit = AGENT_LIMIT): Promise<ParsedKey[]> =>
  new Promise((resolve, reject) => {
    const quiet = (): void => reject(new SilentAgent('it does not answer'));
    if (performance.now() - (silent.get(socket) ?? -AGENT_REST) < AGENT_REST) return quiet();
    const timer = setTimeout(() => {
      silent.set(socket, performance.now());
      quiet();
    }, limit);
    createAgent(socket).getIdentities((error, keys = []) => {
      clearTimeout(timer);
      silent.delete(socket);
      if (error) return reject(error);
      const parsed = keys.map((key) => utils.parseKey(key as Buffer));
      resolve(parsed.filter((key): key is ParsedKey => !(key instanceof Error)));
    });
  });

const blobOf = (key: ParsedKey): string => key.getPublicSSH().toString('base64');

/** A key file's own key; undefined where the public half is all that is there. */
function ownKey(key: OfferedKey): ParsedKey | undefined {
  if ('unlocked' in key) return key.unlocked;
  if (!('text' in key)) return undefined;
  const parsed = utils.parseKey(key.text);
  return parsed instanceof Error ? undefined : parsed;
}

export interface Ring {
  keys: readonly OfferedKey[];
  agent?: string | undefined;
  namedOnly?: boolean | undefined;
}

/** A server takes six keys before it hangs up, so those that are meant for it go first. */
export class KeyRing extends BaseAgent {
  /** Why ssh-agent gave no keys. */
  trouble: Error | undefined;
  readonly #ring: Ring;
  readonly #own = new Map<string, ParsedKey>();

  constructor(ring: Ring) {
    super();
    this.#ring = ring;
  }

  async #identities(): Promise<ParsedKey[]> {
    const { keys, agent, namedOnly } = this.#ring;
    let held: ParsedKey[] = [];
    if (agent !== undefined)
      held = await agentKeys(agent).catch((error: Error) => {
        this.trouble = error;
        return [];
      });
    const offered = new Map<string, ParsedKey>();
    for (const key of keys) {
      const own = ownKey(key);
      const blob = own === undefined ? 'publicKey' in key && key.publicKey.toString('base64') : blobOf(own);
      const there = own ?? held.find((one) => blobOf(one) === blob);
      if (own !== undefined) this.#own.set(blobOf(own), own);
      if (there !== undefined && blob !== false && !offered.has(blob)) offered.set(blob, there);
    }
    for (const key of namedOnly ? [] : held) if (!offered.has(blobOf(key))) offered.set(blobOf(key), key);
    return [...offered.values()];
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    void this.#identities().then((keys) => callback(undefined, keys));
  }

  override sign(
    publicKey: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback = {},
    callback?: SignCallback,
  ): void {
    const answer = typeof options === 'function' ? options : (callback as SignCallback);
    const how = typeof options === 'function' ? {} : options;
    const own = this.#own.get(blobOf(publicKey));
    const { agent } = this.#ring;
    if (own !== undefined) {
      const signature = own.sign(data, how.hash) as Buffer | Error;
      if (signature instanceof Error) answer(signature);
      else answer(undefined, signature);
    } else if (agent === undefined) answer(new Error('the key is gone'));
    else createAgent(agent).sign(publicKey, data, how, answer);
  }
}
