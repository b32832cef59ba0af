/** One try of a login over a socket. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AnyAuthMethod, Client } from 'ssh2';
import { Fault, messageOf } from '../cli.ts';
import { KeyRing } from './key-ring.ts';
import { hostKeyAlgorithms } from './known-hosts.ts';
import type { SshFault, SshOptions, SshTarget } from './ssh-options.ts';
import { type ConnectError, explain, hostKeyTrouble, type Stage } from './ssh-trouble.ts';

/** Seconds between two questions whether the host is still there. */
const KEEPALIVE = 5;

/** Why a try failed: for a person, and for who decides about the next try. */
export interface Failure {
  fault: SshFault | Fault;
  code: string | number | undefined;
  message: string;
  stage: Stage;
}

const closed = (): ConnectError => new Error('it closed the connection');

/** Logs in over a socket that is connected, or about to be; rejects with a {@link Failure}. `ms` for all of it. */
export function logIn(
  socket: Socket | Duplex,
  target: SshTarget,
  options: SshOptions,
  ms: number,
): Promise<Client> {
  return new Promise((resolve, reject: (failure: Failure) => void) => {
    const client = new Client();
    const ring = new KeyRing(options);
    let stage: Stage = 'connecting' in socket && socket.connecting ? 'way' : 'tcp';
    let refusal: SshFault | Fault | undefined;
    const fail = (error: ConnectError): void => {
      const fault = refusal ?? explain(error, target, options, stage, ring.trouble);
      reject({ fault, code: error.code, message: error.message, stage });
      client.destroy();
    };
    const onError = (error: ConnectError): void => {
      // One key of ssh-agent's that it did not sign with: the next one is offered.
      if (error.level !== 'agent') fail(error);
    };
    const onClose = (): void => fail(closed());
    client.on('error', onError).once('close', onClose);
    client.once('connect', () => {
      stage = 'tcp';
    });
    client.once('ready', () => {
      client.off('error', onError).off('close', onClose);
      // Who uses it says why it was lost; one that is only gone through has nobody who listens.
      client.on('error', () => {});
      resolve(client);
    });
    const judge = (blob: Buffer): boolean => {
      stage = 'keys';
      try {
        refusal = hostKeyTrouble(target, options, blob);
      } catch (error) {
        // known_hosts of this machine cannot be written: no fault of the host's.
        refusal = error instanceof Fault ? error : new Fault({ what: messageOf(error) });
      }
      return refusal === undefined;
    };
    client.once('handshake', () => {
      stage = 'login';
    });
    const { user: username, silence } = { ...target, ...options };
    client.connect({
      sock: socket as Socket,
      username,
      readyTimeout: ms,
      keepaliveInterval: ((silence ?? KEEPALIVE * 3) / 3) * 1000,
      // Whether anything comes at all is watched elsewhere: on a slow link the answer waits behind the output.
      keepaliveCountMax: 1e6,
      algorithms: { serverHostKey: hostKeyAlgorithms(options.known) as never },
      hostVerifier: judge,
      authHandler: [{ type: 'agent', username, agent: ring }] satisfies AnyAuthMethod[] as AnyAuthMethod[],
    });
  });
}
