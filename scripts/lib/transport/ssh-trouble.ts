/** ssh2's many errors, and host keys, as one line with a cause and a next step. Decides only. */
import { quoteAll } from '../shell.ts';
import { fingerprint, judgeHostKey, keyType, knownName } from './known-hosts.ts';
import { byHand, type SshFault, type SshOptions, type SshTarget, unreachable } from './ssh-options.ts';

/** How far a connection came. */
export type Stage = 'way' | 'tcp' | 'keys' | 'login';

const SOCKETS: Record<string, string> = {
  ECONNREFUSED: 'connection refused: nothing listens on this port',
  EHOSTUNREACH: 'no route to this host: it is down, or the address is wrong',
  ENETUNREACH: 'the network of this address is not reachable from here',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  ENOTFOUND: 'this name does not resolve',
  EAI_AGAIN: 'this name does not resolve now',
};

/** Where it stopped answering. */
const SILENT: Record<Stage, string> = {
  way: '',
  tcp: ': its port takes connections, and no SSH server speaks there',
  keys: ': its SSH server began, and then stopped',
  login: ': its SSH server began, and then stopped',
};

export type ConnectError = Error & { level?: string; code?: string | number };

const offeredOf = ({ keys, agent }: SshOptions): string =>
  [...keys.map(({ file }) => file), ...(agent ? ['ssh-agent'] : [])].join(', ') || 'no key at all';

/** A user of ~/.ssh/config's is easily meant for other hosts. */
const userHint = ({ user }: SshTarget): string =>
  user === 'root'
    ? ''
    : `see that ${user} is the user there (else ansible_user=root on its line in hosts.ini); then `;

/** Why a connection was not had. `agentTrouble` is why ssh-agent gave no keys. */
export function explain(
  error: ConnectError,
  target: SshTarget,
  options: SshOptions,
  stage: Stage,
  agentTrouble: Error | undefined,
): SshFault {
  const next = `see whether \`${byHand(target, options.jumps)}\` works`;
  const network = (what: string): SshFault => unreachable(target, 'network', what, next);
  const socket = SOCKETS[error.code ?? ''];
  if (socket !== undefined) return network(socket);
  if (error.level === 'client-timeout')
    return network(`no answer within ${options.timeout} s${SILENT[stage]}`);
  if (/too many authentication failures/i.test(error.message))
    return unreachable(
      target,
      'login',
      `login refused: it takes no more keys than were offered; offered first: ${offeredOf(options)}`,
      'name the right key as ansible_ssh_private_key_file in hosts.ini, or IdentityFile with IdentitiesOnly yes in ~/.ssh/config',
    );
  if (error.level === 'client-authentication') {
    const agent = agentTrouble === undefined ? '' : '; ssh-agent does not answer';
    return unreachable(
      target,
      'login',
      `login refused; offered: ${offeredOf(options)}${agent}`,
      agentTrouble !== undefined && options.keys.length === 0
        ? 'start ssh-agent and ssh-add your key'
        : `${userHint(target)}name the right key as ansible_ssh_private_key_file in hosts.ini, or add yours to ${target.user}'s authorized_keys there`,
    );
  }
  if (stage === 'tcp' && /before handshake/i.test(error.message))
    return network('it closed the connection before a word: too many logins at once, or no SSH server');
  return network(error.message);
}

/** Why a presented host key is not taken; undefined where it is. A key never seen is remembered where that is wanted. */
export function hostKeyTrouble(target: SshTarget, options: SshOptions, blob: Buffer): SshFault | undefined {
  const { verdict, at } = judgeHostKey(options.known, blob);
  const print = `${keyType(blob)} ${fingerprint(blob)}`;
  const name = options.knownAs ?? knownName(target.address, target.port);
  if (verdict === 'known') return undefined;
  if (verdict === 'revoked')
    return unreachable(
      target,
      'revoked-host-key',
      `its host key ${print} is revoked in ${at}`,
      'do not connect to it',
    );
  if (verdict === 'changed')
    return unreachable(
      target,
      'changed-host-key',
      `its host key is now ${print}, not the one in ${at}: another machine answers, or it was made anew`,
      `if it was made anew: ${quoteAll(['ssh-keygen', '-R', name, '-f', options.knownHostsFile])}, then run again with --accept-new`,
    );
  if (options.remember !== undefined) {
    options.remember(`${name} ${keyType(blob)} ${blob.toString('base64')}`);
    return undefined;
  }
  return unreachable(
    target,
    'unknown-host-key',
    `its host key ${print} is not known yet`,
    'compare that fingerprint with the one your provider shows, then run again with --accept-new',
  );
}
