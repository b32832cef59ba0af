/** What the demo fetches in mode quic while the path moves: a file, over one connection, from a server that follows it. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readTextIfAny, writeBytes } from '../files.ts';
import { clientRun } from './client.ts';
import { BYTES, type Migration, paceOf, underMigration } from './demo-fetch.ts';
import { connectionsIn } from './h3-log.ts';
import type { Lab } from './open.ts';
import { noise } from './page-parts.ts';
import { QUIC_SITE } from './roles.ts';

const NAME = 'demo-10m';
export const DEMO_URL = `https://quic.example.org/${NAME}`;

const GET = 'curl -sS --http3-only --max-time 300 "$@" | sha256sum';

// Its code is `ECONNREFUSED` where a reset came at once; that the site listens there the lab's start has made sure.
const CONNECT = `
const socket = require('node:net').connect(443, process.argv[1]);
socket.on('connect', () => { console.log('accepted'); socket.destroy(); });
socket.on('error', ({ code }) => console.log(code === 'ECONNREFUSED' ? 'refused' : code));`;

const short = (hash: string): string => hash.slice(0, 12);

/** The server's log, which the machine `inet` writes. */
const logOf = (lab: Lab): string => readTextIfAny(join(lab.directory, 'site', 'h3.log')) ?? '';

/** The file by HTTP/3, what the server saw of it, and what became of a TCP connection. Hashes: their first 12 digits. */
export async function fetchByQuic(lab: Lab, options: Migration) {
  const file = noise('the demo in mode quic', BYTES);
  // The same bytes in every demo, as the server keeps what it served once.
  writeBytes(join(lab.directory, 'site', 'quic', NAME), file);
  const before = logOf(lab).length;
  const fetched = await underMigration(lab, options, async () => ({
    sha256: short(
      await clientRun(lab, 'bash', '-o', 'pipefail', '-c', GET, 'bash', ...paceOf(options.seconds), DEMO_URL),
    ),
    tcp: (await clientRun(lab, 'node', '-e', CONNECT, QUIC_SITE)).trim(),
  }));
  const connections = connectionsIn(logOf(lab).slice(before));
  const addresses = [...new Set(connections.flatMap(({ addresses }) => addresses))];
  const wantedSha256 = short(createHash('sha256').update(file).digest('hex'));
  return { ...fetched, wantedSha256, connections: connections.length, addresses };
}
