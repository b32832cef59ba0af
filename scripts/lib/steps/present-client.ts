/** What the client's present files say, for those servers that a run leaves alone. */
import { join } from 'node:path';
import { list, readTextIfAny } from '../files.ts';
import { isKey } from '../wireguard/key.ts';
import { endpointText, type TunnelPlan } from '../wireguard/topology.ts';

/** The server's public key in one file, where it is of this very server: name and endpoint. */
export function serverKeyOf(text: string, { server, port }: TunnelPlan): string | undefined {
  const lines = text.split('\n');
  // `# wgnet1: proxy NAME. Written by …`
  const named = lines[0]?.includes(` ${server.name}. Written by `);
  const at = lines.includes(`Endpoint = ${endpointText(server.address, port)}`);
  const key = /^PublicKey = (\S+)$/m.exec(text)?.[1];
  return named && at && key !== undefined && isKey(key) ? key : undefined;
}

/** The same in whichever file of the client's holds it: a proxy may have had another number. */
export function serverKeyIn(directory: string, tunnel: TunnelPlan): string | undefined {
  return list(directory)
    .filter((name) => /^wg(?:0|net\d+)\.conf$/.test(name))
    .map((name) => serverKeyOf(readTextIfAny(join(directory, name)) ?? '', tunnel))
    .find((key) => key !== undefined);
}
