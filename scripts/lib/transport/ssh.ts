import { type AnyAuthMethod, Client, type ConnectConfig } from 'ssh2';
import { EXIT, Fault, messageOf } from '../cli.ts';
import { quoteAll } from '../shell.ts';
import {
  fingerprint,
  hostKeyAlgorithms,
  judgeHostKey,
  type KnownKey,
  keyType,
  knownName,
} from './known-hosts.ts';
import type { Answer, Transport } from './transport.ts';

export interface SshTarget {
  /** As the inventory names it; used in messages. */
  name: string;
  address: string;
  port: number;
  user: string;
}

export interface SshOptions {
  /** Private keys to offer, in order; text of the key files. */
  keys: readonly { file: string; text: string }[];
  /** Socket of a running ssh-agent. */
  agent?: string | undefined;
  known: readonly KnownKey[];
  /** The file that gets keys accepted at first sight, and that messages name. */
  knownHostsFile: string;
  /** Stores the key of a host never seen before; without it such a host is refused. */
  remember?: ((line: string) => void) | undefined;
  /** Seconds for connection and login. */
  timeout: number;
}

/** A lost peer is noticed after three unanswered questions of these many seconds. */
const KEEPALIVE_SECONDS = 5;

/** What stood in the way of a connection, for one who decides whether it may pass by itself. */
export type SshTrouble = 'network' | 'login' | 'unknown-host-key' | 'changed-host-key' | 'revoked-host-key';

/** Why there is no connection to a host, or none any more. */
export class SshFault extends Fault {
  readonly kind: SshTrouble;

  constructor(kind: SshTrouble, parts: ConstructorParameters<typeof Fault>[0]) {
    super(parts);
    this.kind = kind;
  }
}

const unreachable = (target: SshTarget, kind: SshTrouble, what: string, next: string): SshFault =>
  new SshFault(kind, {
    at: `${target.name} (${target.user}@${target.address} port ${target.port})`,
    what,
    next,
    code: EXIT.unreachable,
  });

/** The ssh command line that does the same, for a person to try. */
const byHand = ({ user, address, port }: SshTarget): string =>
  quoteAll(['ssh', ...(port === 22 ? [] : ['-p', String(port)]), `${user}@${address}`]);

/** ssh2's many errors as one line with a cause and a next step. */
function explain(
  error: Error & { level?: string; code?: string },
  target: SshTarget,
  options: SshOptions,
): SshFault {
  const sockets: Record<string, string> = {
    ECONNREFUSED: 'connection refused: nothing listens on this port',
    EHOSTUNREACH: 'no route to this host: it is down, or the address is wrong',
    ENETUNREACH: 'the network of this address is not reachable from here',
    ETIMEDOUT: 'no answer',
    ECONNRESET: 'the connection was reset',
    ENOTFOUND: 'this name does not resolve',
  };
  const socket = sockets[error.code ?? ''];
  if (socket !== undefined)
    return unreachable(target, 'network', socket, `see whether \`${byHand(target)}\` works`);
  if (error.level === 'client-timeout')
    return unreachable(
      target,
      'network',
      `no answer within ${options.timeout} s`,
      `see whether \`${byHand(target)}\` works`,
    );
  if (error.level === 'agent' || /agent/i.test(error.message))
    return unreachable(
      target,
      'login',
      'ssh-agent does not answer, and no other key was taken',
      'start ssh-agent and ssh-add your key',
    );
  if (error.level === 'client-authentication') {
    const offered = [...options.keys.map(({ file }) => file), ...(options.agent ? ['ssh-agent'] : [])];
    return unreachable(
      target,
      'login',
      `login refused; offered: ${offered.join(', ') || 'no key at all'}`,
      `name the right key as ansible_ssh_private_key_file in hosts.ini, or add yours to ${target.user}'s authorized_keys there`,
    );
  }
  return unreachable(target, 'network', error.message, `see whether \`${byHand(target)}\` works`);
}

/** Why a presented host key is not taken; undefined where it is. */
function hostKeyTrouble(target: SshTarget, options: SshOptions, blob: Buffer): SshFault | undefined {
  const { verdict, at } = judgeHostKey(options.known, blob);
  const print = `${keyType(blob)} ${fingerprint(blob)}`;
  const name = knownName(target.address, target.port);
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

function configOf(
  target: SshTarget,
  options: SshOptions,
  onHostKey: (blob: Buffer) => boolean,
): ConnectConfig {
  const { user: username } = target;
  return {
    host: target.address,
    port: target.port,
    username,
    readyTimeout: options.timeout * 1000,
    keepaliveInterval: KEEPALIVE_SECONDS * 1000,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: hostKeyAlgorithms(options.known) as never },
    hostVerifier: onHostKey,
    authHandler: [
      ...options.keys.map(({ text }) => ({ type: 'publickey' as const, username, key: text })),
      ...(options.agent === undefined ? [] : [{ type: 'agent' as const, username, agent: options.agent }]),
    ] satisfies AnyAuthMethod[] as AnyAuthMethod[],
  };
}

/** Opens the one connection to a host; rejects with a Fault that says why there is none, and what to do. */
export function connectSsh(target: SshTarget, options: SshOptions): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    let refusal: Fault | undefined;
    client.on('error', (error) => reject(refusal ?? explain(error, target, options)));
    client.once('close', () =>
      reject(
        refusal ??
          unreachable(
            target,
            'network',
            'it closed the connection',
            `see whether \`${byHand(target)}\` works`,
          ),
      ),
    );
    client.once('ready', () => resolve(transportOf(client, target)));
    client.connect(
      configOf(target, options, (blob) => {
        try {
          refusal = hostKeyTrouble(target, options, blob);
        } catch (error) {
          // known_hosts of this machine cannot be written: no fault of the host's.
          refusal = error instanceof Fault ? error : new Fault({ what: messageOf(error) });
        }
        return refusal === undefined;
      }),
    );
  });
}

function transportOf(client: Client, target: SshTarget): Transport {
  const lost = (why: string): SshFault =>
    unreachable(
      target,
      'network',
      `the connection was lost in the middle (${why})`,
      'run this again: it goes on from where it was',
    );
  return {
    run: (script, onOutput) =>
      new Promise<Answer>((resolve, reject) => {
        const onError = (error: Error): void => reject(lost(error.message));
        client.on('error', onError).once('close', () => reject(lost('closed')));
        client.exec('/bin/sh -s', (error, channel) => {
          if (error) return reject(lost(error.message));
          const answer = { stdout: '', stderr: '' };
          let code: number | null = null;
          channel.setEncoding('utf8').on('data', (text: string) => {
            answer.stdout += text;
            onOutput?.(text);
          });
          channel.stderr.setEncoding('utf8').on('data', (text: string) => {
            answer.stderr += text;
          });
          channel.on('exit', (status: number | null) => {
            code = status;
          });
          channel.on('close', () => {
            client.off('error', onError);
            resolve({ code, ...answer });
          });
          channel.end(script);
        });
      }),
    close: () => client.end(),
  };
}
