/**
 * The near end of bench/migrate.ts, in the lab's client; prints a line of JSON.
 *
 *     node near.mjs HOST PORT up|down WARM SECONDS             a TCP stream: bits/s at its receiver, WARM seconds left out
 *     node near.mjs HOST PORT udp RUN PER_SECOND COUNT SIZE    what became of numbered packets of SIZE bytes, there and back
 */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

const [host, port, what, ...numbers] = process.argv.slice(2);
const BLOCK = Buffer.alloc(65_536);
const BUFFER = 4_000_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A connection that has told the far end what it is for. */
function dial(order) {
  const socket = connect({ host, port: Number(port) });
  socket.write(JSON.stringify(order));
  return socket;
}

/** Sends once the far end has answered with a line, until it answers with its count. */
function up(warm, seconds) {
  const socket = dial({ do: 'take', warm, seconds });
  let text = '';
  const more = () => {
    while (text.trim() === '' && socket.write(BLOCK));
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('drain', more);
    socket.on('data', (piece) => {
      if (text === '') more();
      text += piece;
    });
    socket.on('end', () => {
      socket.destroy();
      resolve(JSON.parse(text));
    });
  });
}

async function down(warm, seconds) {
  const socket = dial({ do: 'give' });
  let start;
  let bytes = 0;
  for await (const piece of socket) {
    const now = performance.now();
    start ??= now + warm * 1000;
    if (now < start) continue;
    bytes += piece.length;
    if (now - start >= seconds * 1000) return { bytes, seconds: (now - start) / 1000 };
  }
  throw new Error('the far end closed the stream');
}

/** This machine's TCP counters that tell what switching does to a stream. */
function counters() {
  const all = {};
  for (const file of ['/proc/net/snmp', '/proc/net/netstat']) {
    const rows = readFileSync(file, 'utf8').trim().split('\n');
    for (let i = 0; i + 1 < rows.length; i += 2) {
      const values = rows[i + 1].split(' ');
      for (const [at, name] of rows[i].split(' ').entries()) all[name] = Number(values[at]);
    }
  }
  // Segments sent again; those of them that came twice; segments that came before one with a lower number.
  return { sent: all.OutSegs, again: all.RetransSegs, twice: all.TCPDSACKRecv, ahead: all.TCPOFOQueue };
}

async function stream(way, warm, seconds) {
  const before = counters();
  const { bytes, seconds: took } = await way(warm, seconds);
  const segments = Object.entries(counters()).map(([name, value]) => [name, value - before[name]]);
  return { bits_per_second: (8 * bytes) / took, segments: Object.fromEntries(segments) };
}

async function askFor(run) {
  let text = '';
  for await (const piece of dial({ do: 'tell', run })) text += piece;
  return JSON.parse(text);
}

/** So many packets may be under way: fewer than any queue holds, so that a machine that is busy loses none by itself. */
const WINDOW = 200;
/** Milliseconds after which one is no longer under way, but lost. */
const GIVE_UP = 500;

/** A timer is to a millisecond, so above 1,000 a second several packets leave at once. */
async function udp(run, perSecond, count, size) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.connect(Number(port), host, resolve));
  socket.setRecvBufferSize(BUFFER);
  socket.setSendBufferSize(BUFFER);
  const back = { seen: new Set(), late: 0, highest: -1 };
  socket.on('message', (packet) => {
    const number = packet.readUInt32BE(4);
    if (number < back.highest && !back.seen.has(number)) back.late++;
    back.seen.add(number);
    back.highest = Math.max(back.highest, number);
  });
  const sentAt = new Float64Array(count);
  let refused = 0;
  let [oldest, lost] = [0, 0];
  const start = performance.now();
  for (let sent = 0; sent < count; ) {
    const now = performance.now();
    for (; oldest < sent && (back.seen.has(oldest) || now - sentAt[oldest] > GIVE_UP); oldest++)
      if (!back.seen.has(oldest)) lost++;
    const due = Math.min(count, Math.floor(((now - start) / 1000) * perSecond) + 1);
    for (; sent < due && sent - back.seen.size - lost < WINDOW; sent++) {
      const packet = Buffer.alloc(size);
      packet.writeUInt32BE(run, 0);
      packet.writeUInt32BE(sent, 4);
      sentAt[sent] = now;
      socket.send(packet, (error) => {
        if (error) refused++;
      });
    }
    await pause(1);
  }
  const seconds = (performance.now() - start) / 1000;
  // Until all are there and back, or nothing has come for half a second.
  let there = await askFor(run);
  for (let quiet = 0, before = -1; quiet < 10; quiet++) {
    const came = there.came + back.seen.size;
    if (came === 2 * count) break;
    if (came !== before) quiet = 0;
    before = came;
    await pause(50);
    there = await askFor(run);
  }
  return { sent: count, seconds, refused, there, back: { came: back.seen.size, late: back.late } };
}

const values = numbers.map(Number);
const work = {
  up: () => stream(up, ...values),
  down: () => stream(down, ...values),
  udp: () => udp(...values),
};
console.log(JSON.stringify(await work[what]()));
process.exit(0);
