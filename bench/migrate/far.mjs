/**
 * The far end of bench/migrate.ts, in the lab's `inet`: takes or gives TCP streams, counts numbered UDP packets and sends
 * them back. `node far.mjs PORT`; prints `ready` when it listens.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const port = Number(process.argv[2]);
const BLOCK = Buffer.alloc(65_536);
const BUFFER = 4_000_000;

/** What came of each run of UDP packets. `late`: behind one with a higher number. */
const runs = new Map();
const fresh = () => ({ seen: new Set(), late: 0, highest: -1 });

const udp = createSocket('udp4');
udp.on('message', (packet, from) => {
  const of = packet.readUInt32BE(0);
  const number = packet.readUInt32BE(4);
  const run = runs.get(of) ?? fresh();
  runs.set(of, run);
  if (number < run.highest && !run.seen.has(number)) run.late++;
  run.seen.add(number);
  run.highest = Math.max(run.highest, number);
  udp.send(packet, from.port, from.address);
});

/** Bytes that a stream brings in so many seconds, once `warm` seconds are over; then tells them and ends it. */
function take(socket, { warm, seconds }) {
  let start;
  let bytes = 0;
  socket.on('data', (piece) => {
    const now = performance.now();
    start ??= now + warm * 1000;
    if (now < start) return;
    bytes += piece.length;
    if (now - start < seconds * 1000) return;
    socket.removeAllListeners('data').resume();
    socket.end(JSON.stringify({ bytes, seconds: (now - start) / 1000 }));
  });
}

/** Sends until the other end has enough. */
function give(socket) {
  const more = () => {
    while (!socket.destroyed && socket.write(BLOCK));
  };
  socket.on('drain', more);
  more();
}

function tell(socket, of) {
  const { seen, late } = runs.get(of) ?? fresh();
  socket.end(JSON.stringify({ came: seen.size, late }));
}

const tcp = createServer((socket) => {
  // The near end just goes when it has what it wants.
  socket.on('error', () => undefined);
  socket.once('data', (line) => {
    const order = JSON.parse(line);
    if (order.do === 'take') take(socket, order);
    else if (order.do === 'give') give(socket);
    else tell(socket, order.run);
    socket.write(order.do === 'take' ? '\n' : '');
  });
});

udp.bind(port, () => {
  udp.setRecvBufferSize(BUFFER);
  udp.setSendBufferSize(BUFFER);
  tcp.listen(port, () => console.log('ready'));
});
