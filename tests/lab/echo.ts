/**
 * From a lab's client to its far end: numbered UDP packets and back, as many in flight as the tunnels bear, so that none is
 * lost for a full queue; and TCP one way.
 */
import { spawn } from 'node:child_process';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';

const SITE = '203.0.113.80';
const PORT = 9998;

const ECHO = `
import dgram from 'node:dgram';
import net from 'node:net';
net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined).on('end', () => socket.end('thanks')).resume();
}).listen(${PORT});
const socket = dgram.createSocket('udp4');
socket.on('message', (packet, from) => socket.send(packet, from.port, from.address));
socket.bind(${PORT}, () => { socket.setRecvBufferSize(4 << 20); console.log('echo'); });
process.stdin.on('end', () => process.exit()).resume();`;

/** Ends with the last answer, or where none came for so many seconds. */
const ASK = `
import dgram from 'node:dgram';
const [count, windowSize, size, patience] = process.argv.slice(1).map(Number);
const socket = dgram.createSocket('udp4');
let next = 0, answered = 0, late = 0, highest = -1, quiet;
const seen = new Uint8Array(count);
const finish = () => { console.log(JSON.stringify({ sent: next, lost: next - answered, late })); process.exit(); };
const wait = () => { clearTimeout(quiet); quiet = setTimeout(() => (next < count ? more(windowSize) : finish()), patience * 1000); };
const more = (room) => {
  for (; room > 0 && next < count; room--, next++) {
    const packet = Buffer.alloc(size);
    packet.writeUInt32BE(next);
    socket.send(packet, ${PORT}, '${SITE}', () => undefined);
  }
  wait();
};
socket.on('message', (packet) => {
  const n = packet.readUInt32BE(0);
  if (seen[n]) return;
  seen[n] = 1;
  answered++;
  if (n < highest) late++;
  else highest = n;
  if (answered === count) finish();
  else more(1);
});
socket.bind(0, () => { socket.setRecvBufferSize(4 << 20); more(windowSize); });`;

/** Writes so many bytes, and waits until the far end has them all. */
const WRITE = `
import net from 'node:net';
const socket = net.connect(${PORT}, '${SITE}');
let left = Number(process.argv[1]);
const piece = Buffer.alloc(65536);
const more = () => {
  while (left > 0) { left -= piece.length; if (!socket.write(piece)) return socket.once('drain', more); }
  socket.end();
};
socket.on('connect', more).on('data', () => console.log('written'));`;

/** Starts the far end; ends with the returned call. */
export async function startEcho(lab: Lab): Promise<() => void> {
  const [command = '', ...words] = lab.words('inet', ['node', '--input-type=module', '-e', ECHO]);
  const echo = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    echo.stdout.once('data', () => resolve());
    echo.once('exit', () => reject(new Error('the echo ended')));
  });
  return () => echo.stdin.end();
}

export interface Exchanged {
  sent: number;
  /** Not back some seconds after the last one that was. */
  lost: number;
  /** Back later than one that was sent after it. */
  late: number;
}

/**
 * Sends so many packets and waits for each to come back, for so many seconds after the last one that did: a machine that is
 * busy with other things may keep one for a while, and has not lost it.
 */
export async function exchange(
  lab: Lab,
  count: number,
  { window = 48, size = 120, patience = 10 } = {},
): Promise<Exchanged> {
  const numbers = [count, window, size, patience].map(String);
  return JSON.parse(await clientRun(lab, 'node', '--input-type=module', '-e', ASK, ...numbers));
}

/** Sends so many bytes by TCP, to the last one's acknowledgement. */
export async function upload(lab: Lab, bytes: number): Promise<void> {
  await clientRun(lab, 'node', '--input-type=module', '-e', WRITE, String(bytes));
}
