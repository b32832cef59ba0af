/** What the client's present files say, for those servers that a run leaves alone. */
import { join } from 'node:path';
import type { Mode } from '../config.ts';
import { list, readTextIfAny } from '../files.ts';
import type { ClientFile } from '../wireguard/client-files.ts';
import { isKey } from '../wireguard/key.ts';
import { endpointText, type Topology, type TunnelPlan } from '../wireguard/topology.ts';

/** The server's public key in one file, where it is of this very server: name and endpoint. */
export function serverKeyOf(text: string, { server, port }: TunnelPlan): string | undefined {
  const lines = text.split('\n');
  // `# wgnet1: proxy NAME. Written by …`
  const named = lines[0]?.includes(` ${server.name}. Written by `);
  const at = lines.includes(`Endpoint = ${endpointText(server.address, port)}`);
  const key = /^PublicKey = (\S+)$/m.exec(text)?.[1];
  return named && at && key !== undefined && isKey(key) ? key : undefined;
}

/** The client's present files of tunnels. */
const tunnelTexts = (directory: string): string[] =>
  list(directory)
    .filter((name) => /^wg(?:0|net\d+)\.conf$/.test(name))
    .map((name) => readTextIfAny(join(directory, name)) ?? '');

/** The same in whichever file of the client's holds it: a proxy may have had another number. */
export const serverKeyIn = (directory: string, tunnel: TunnelPlan): string | undefined =>
  tunnelTexts(directory)
    .map((text) => serverKeyOf(text, tunnel))
    .find((key) => key !== undefined);

/** The server that a tunnel's file was written for. */
function serverIn(text: string): { name: string | undefined; address: string | undefined } {
  return {
    name: /^# wg\S+: (?:proxy|comp server) (.+)\. Written by /.exec(text)?.[1],
    address: /^Endpoint = \[?([^\]\s]+?)\]?:\d+$/m.exec(text)?.[1],
  };
}

/**
 * Whether the files in a directory are of this network: of its comp server, perhaps at another port or address, or under
 * another name; and where they have none, or the network has none (mode quic), of one of its proxies. Undefined where there
 * are no files.
 */
export function holdsNetworkOf(directory: string, { comp, paths }: Topology): boolean | undefined {
  const texts = tunnelTexts(directory);
  if (texts.length === 0) return undefined;
  const own = texts.filter((text) => text.startsWith('# wg0:'));
  const [present, tunnels] = comp === undefined || own.length === 0 ? [texts, paths] : [own, [comp]];
  return present
    .map(serverIn)
    .some(({ name, address }) =>
      tunnels.some(({ server }) => name === server.name || address === server.address),
    );
}

/** The mode of the files in a directory; of earlier versions' there was one. Undefined where there are none. */
export function modeOf(directory: string): Mode | undefined {
  const text = readTextIfAny(join(directory, 'setup.sh'));
  if (text === undefined) return undefined;
  return /^MODE=quic$/m.test(text) ? 'quic' : 'wireguard';
}

/** What the server must have been told of, or what leads there. Its public key is not among them: that is the server's own. */
const SHARED = ['PrivateKey', 'Address', 'MTU', 'Endpoint'];

const settingIn = (text: string, key: string): string | undefined =>
  new RegExp(`^${key} = (.*)$`, 'm').exec(text)?.[1];

/** A tunnel that would be cut by new files, as its server does not change with them; `what` names the settings. */
export interface Moved {
  name: string;
  what: string;
}

/** Of these tunnels, whose servers stay as they are, those whose present files have other settings than the wished ones. */
export function movedIn(
  directory: string,
  tunnels: readonly TunnelPlan[],
  files: readonly ClientFile[],
): Moved[] {
  const texts = tunnelTexts(directory);
  return tunnels.flatMap(({ interface: own, server }) => {
    const before =
      texts.find((text) => serverIn(text).name === server.name) ??
      texts.find((text) => serverIn(text).address === server.address);
    const wish = files.find(({ name }) => name === `${own}.conf`)?.text ?? '';
    if (before === undefined) return [];
    const other = SHARED.filter((key) => settingIn(before, key) !== settingIn(wish, key));
    return other.length === 0 ? [] : [{ name: server.name, what: other.join(', ') }];
  });
}
