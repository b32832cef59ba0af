/** Reads what there is, and refuses what cannot be: all of it before the first droplet is asked for. */
import { Fault } from '../cli.ts';
import { type Config, secretOf } from '../config.ts';
import type { Account, CloudApi, Droplet, Size, SshKey } from '../digitalocean/api.ts';
import { type Plan, planOf } from '../digitalocean/plan.ts';
import { type Problem, problemsOf } from '../digitalocean/preflight.ts';
import { recover } from '../digitalocean/recover.ts';
import type { Entry, Saved } from '../digitalocean/saved.ts';
import { idleOf, type Wanted, wantedOf } from '../digitalocean/wanted.ts';
import { md5Of } from '../transport/fingerprint.ts';
import { loginOf } from '../transport/login.ts';
import { md5Fingerprint } from '../transport/private-key.ts';
import { withSshConfig } from '../transport/ssh-config.ts';
import type { OfferedKey } from '../transport/ssh-options.ts';
import { unlockKeys } from '../transport/unlock.ts';
import { keepFound, recovering } from './cloud.ts';
import { claimProblems, inventoryText, type Target, targetOf } from './own-hosts.ts';
import { prospectOf } from './prospect.ts';
import { tellOnce } from './read-config.ts';
import { accountOf, bindSeen, requireSameAccount } from './whose-account.ts';

export interface SurveyOptions {
  inventory: string;
  config: string;
  check: boolean;
  acceptNew: boolean;
  timeout: number;
}

export interface Survey {
  wanted: Wanted[];
  plan: Plan;
  sizes: Size[];
  /** All of the account. */
  droplets: Droplet[];
  /** Number or fingerprint of the SSH key; undefined where nothing is to be made. */
  sshKey: string | undefined;
  /** Names that config.cfg has and its mode passes over. */
  idle: ReadonlySet<string>;
  /** Entries of droplets that are gone and that nobody wants any more. */
  gone: Entry[];
  /** Undefined where the token may not ask for it. */
  account: Account | undefined;
}

/** The droplets of config.cfg that its mode needs; a Fault where there are none, or more comp servers than one. */
export function readWanted(config: Config, file: string): Wanted[] {
  const wanted = wantedOf(config);
  const refuse = (what: string, next: string): never => {
    throw new Fault({ at: file, what, next });
  };
  const idle = idleOf(config);
  if (idle.length > 0)
    tellOnce(
      `mode quic has no comp server, and passes over what is below comps in ${file}: ${idle.join(', ')}`,
    );
  if (wanted.length === 0)
    refuse(
      config.mode === 'quic'
        ? 'names no droplets: vpns is empty'
        : 'names no droplets: vpns and comps are empty',
      'config.cfg.example shows both lists',
    );
  if (config.mode === 'wireguard' && config.comps.length > 1)
    refuse(
      `comps has ${config.comps.length} entries (${config.comps.map(({ name }) => name).join(', ')}): the network has one comp server`,
      'keep one of them; proxies belong below vpns',
    );
  return wanted;
}

/** MD5 of a key's public half, as DigitalOcean shows it. */
const printOf = (key: OfferedKey): string | undefined =>
  'text' in key
    ? md5Fingerprint(key.text)
    : md5Of('publicKey' in key ? key.publicKey : key.unlocked.getPublicSSH());

/** Problems of logging in to droplets that are not there yet: as hosts.ini will be, with these keys. */
function loginProblems(targets: readonly Target[], options: SurveyOptions, key: SshKey): Problem[] {
  const { inventory, acceptNew, timeout } = options;
  const found = targets.flatMap((target) => {
    const { keys, agent } = loginOf(target, { inventory, acceptNew, timeout });
    const offered = keys.map((one) => ({ file: one.file, print: printOf(one) }));
    if (agent !== undefined || offered.some(({ print }) => print === key.fingerprint)) return [];
    const files = offered.map(({ file }) => file).join(', ') || 'none';
    return [
      {
        what: `the droplets get the SSH key ${key.name} (MD5 ${key.fingerprint}), and it is none of those that this machine would offer (${files})`,
        next: `name its private half below [all:vars] in ${inventory}: ansible_ssh_private_key_file=~/.ssh/…, or choose another ssh_key_id`,
      },
    ];
  });
  return found.slice(0, 1);
}

/** Users that new droplets do not have: DigitalOcean's images let nobody but root in. One of the user's own, named by its number, may. */
export function userProblems(
  targets: readonly Pick<Target, 'name' | 'user' | 'implied'>[],
  create: readonly Pick<Wanted, 'name' | 'image'>[],
  inventory: string,
): Problem[] {
  const own = new Set(create.filter(({ image }) => /^\d+$/.test(image)).map(({ name }) => name));
  const wrong = targets.filter(({ name, user }) => user !== 'root' && !own.has(name));
  const [first] = wrong;
  if (first === undefined) return [];
  const where = first.implied?.user ? 'User in ~/.ssh/config or /etc/ssh/ssh_config' : `by ${inventory}`;
  const names = wrong.map(({ name }) => name).join(', ');
  return [
    {
      what: `${names} would be logged in to as ${first.user} (${where}), and a new droplet lets nobody but root in`,
      next: `write ansible_user=root below [all:vars] in ${inventory}, or below its group a line \`${first.name} ansible_user=root\``,
    },
  ];
}

/** One Fault of all of them, each with its own next step. */
function refuseAll(faults: readonly Fault[]): void {
  const [first, ...rest] = faults;
  if (first === undefined) return;
  throw new Fault({ what: first.message, next: [first.next, ...rest].join('\n') });
}

/** What making droplets needs to know of the account; asked at the same time. */
async function judgeCreates(
  api: CloudApi,
  create: readonly Wanted[],
  sizes: readonly Size[],
  droplets: number,
  keyId: string,
  known: Account | undefined,
): Promise<{ problems: Problem[]; key: SshKey | undefined }> {
  const names = [...new Set(create.map(({ image }) => image))];
  const [account, key, regions, images] = await Promise.all([
    known ?? api.account(),
    api.sshKey(keyId),
    api.regions(),
    Promise.all(names.map(async (name) => [name, await api.image(name)] as const)),
  ]);
  const facts = { account, sshKey: key, regions, sizes, images: new Map(images), droplets };
  return { problems: problemsOf(create, facts), key };
}

const notSeen = ({ name, id }: Entry): Problem => ({
  what: `${name}: the droplet ${id} was accepted a moment ago, and is not to be seen yet`,
  next: 'run the same command again in a minute',
});

/**
 * The plan, after everything that could be wrong with it has been asked for; a Fault with all that is. `hush`: called
 * before a person is asked for the passphrase of a key.
 */
export async function survey(
  api: CloudApi,
  config: Config,
  saved: Saved,
  options: SurveyOptions,
  hush: () => void,
): Promise<Survey> {
  const { inventory, config: file, check } = options;
  const wanted = readWanted(config, file);
  const text = inventoryText(inventory);
  const prospective = prospectOf(text, inventory, wanted, config.mode);
  const [listed, sizes, whose] = await Promise.all([api.droplets(), api.sizes(), accountOf(api)]);
  requireSameAccount(inventory, saved, whose);
  const { entries, droplets, unseen } = await recover(saved.entries, listed, recovering(api, saved));
  if (!check) keepFound(saved, entries);
  if (!check) bindSeen(saved, whose, droplets);
  const plan = planOf(wanted, droplets, config.tag, entries);
  const problems = [...unseen.map(notSeen), ...plan.conflicts];

  const targets = withSshConfig(
    wanted.map(({ name }) => targetOf(prospective, name)),
    inventory,
  );
  const made = targets.filter(({ name }) => plan.create.some((one) => one.name === name));
  const openKeys = (): Promise<void> => {
    hush();
    return unlockKeys(check ? made : targets, options);
  };

  let sshKey: string | undefined;
  if (plan.create.length > 0) {
    if (config.sshKeyId === undefined)
      throw new Fault({
        at: file,
        what: 'has no ssh_key_id: without a key of yours nobody could log in to the droplets',
        next: `add the line \`ssh_key_id: $SSH_KEY_ID\` to ${file}, and export SSH_KEY_ID=… in this shell`,
      });
    // Fingerprints in capitals are the same.
    sshKey = secretOf(config.sshKeyId, process.env).reveal().toLowerCase();
    const { problems: more, key } = await judgeCreates(
      api,
      plan.create,
      sizes,
      droplets.length,
      sshKey,
      whose,
    );
    problems.push(...more, ...userProblems(made, plan.create, inventory));
    if (problems.length === 0) await openKeys();
    if (key !== undefined) problems.push(...loginProblems(made, options, key));
  }
  refuseAll([
    ...claimProblems(text, inventory, wanted, entries, droplets),
    ...problems.map((problem) => new Fault({ at: file, ...problem })),
  ]);
  // To be reached, whether or not there is anything to make.
  if (plan.create.length === 0 && !check) await openKeys();
  const there = new Set(droplets.map(({ id }) => id));
  const names = new Set(wanted.map(({ name }) => name));
  const gone = entries.filter(({ name, id }) => !names.has(name) && (id === undefined || !there.has(id)));
  return { wanted, plan, sizes, droplets, sshKey, idle: new Set(idleOf(config)), gone, account: whose };
}
