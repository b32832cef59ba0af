// TCP connections of a client in mode quic with sticky TCP, one begun on each path: node - SITE PORT SETUP FEWER.
// SETUP: the setup.sh that the client is up with; FEWER: one of a network without the last path. Prints one JSON document.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [site, port, setup, fewer] = process.argv.slice(2);
const PATHS = [1, 2, 3];
const SWITCHES = 20;
const sh = (line, input) => execFileSync('bash', ['-c', line], { encoding: 'utf8', input });
const goTo = (k) => sh(`ip -4 route replace default dev wgnet${k} table 51821`);

/** A connection: the far end says whom it sees, and then sends all back. */
async function open() {
  const socket = net.connect(Number(port), site);
  const connection = { socket, seen: '', back: 0, error: '' };
  let heard;
  const greeted = new Promise((resolve) => {
    heard = resolve;
  });
  socket.on('error', ({ code }) => {
    connection.error = code;
  });
  socket.on('data', (data) => {
    if (connection.seen === '') {
      connection.seen = data.toString().trim();
      heard();
    } else connection.back += data.length;
    socket.emit('moved');
  });
  await greeted;
  return connection;
}

/** Sends so many bytes, and waits until all are back. */
async function there(connection, bytes) {
  const goal = connection.back + bytes;
  connection.socket.write(Buffer.alloc(bytes));
  while (connection.back < goal) await once(connection.socket, 'moved');
}

const all = [];
for (const k of PATHS) {
  goTo(k);
  all.push(await open());
}
const counters = PATHS.flatMap((k) => ['own', 'other'].flatMap((who) => [`${who}${k}out`, `${who}${k}in`]));
const rules = (way, port, name) =>
  PATHS.map((k) => {
    const local = all[k - 1].socket.localPort;
    return `tcp ${port} ${local} ${name} "wgnet${k}" counter name own${k}${way}
      tcp ${port} ${local} ${name} != "wgnet${k}" counter name other${k}${way}`;
  }).join('\n');
sh(
  'nft -f -',
  `table inet watch {
    ${counters.map((name) => `counter ${name} { packets 0 bytes 0 }`).join('\n')}
    chain goes {
      type filter hook postrouting priority 100;
      ${rules('out', 'sport', 'oifname')}
    }
    chain comes {
      type filter hook prerouting priority 100;
      ${rules('in', 'dport', 'iifname')}
    }
  }`,
);

for (let n = 0; n < SWITCHES; n++) {
  goTo(PATHS[n % 3]);
  const moving = all.map((connection, i) => there(connection, 50_000 * (i + 1)));
  if (n === SWITCHES / 2) sh(`${setup} up`);
  await Promise.all(moving);
}

const later = [];
for (const k of PATHS) {
  goTo(k);
  const one = await open();
  later.push(one.seen);
  one.socket.destroy();
}

// A dead path: its answers never come, from before the kernel knows whose they are.
sh(
  'nft -f -',
  `table inet dead {
    counter answers { packets 0 bytes 0 }
    chain comes {
      type filter hook prerouting priority -400;
      iifname "wgnet1" tcp sport ${port} tcp flags & (syn | ack) == syn | ack counter name answers drop
    }
  }`,
);
goTo(1);
const begun = open();
while (!/packets [1-9]/.test(sh('nft list counter inet dead answers'))) await sleep(20);
goTo(2);
// Generous: the kernel asks again after 1, 2, 4, 8 s.
const moved = await Promise.race([
  begun,
  sleep(40_000, undefined, { ref: false }).then(() => {
    throw new Error('what began on a dead path did not get on when the path had moved');
  }),
]);
goTo(3);
await there(moved, 50_000);
moved.socket.destroy();
sh('nft delete table inet dead');

sh('ip link delete wgnet2');
const waiting = there(all[1], 20_000);
const gone = spawnSync('ip', ['route', 'get', site, 'mark', '52002'], { encoding: 'utf8' }).stderr.trim();
sh(`${setup} up`);
await waiting;

const kept = JSON.parse(sh('nft -j list counters table inet watch')).nftables.flatMap(({ counter }) =>
  counter === undefined ? [] : [[counter.name, counter.bytes]],
);
sh('nft delete table inet watch');

sh(`${fewer} up`);
const ended = new Promise((resolve) => all[2].socket.on('close', resolve));
all[2].socket.write('one more');
await ended;
sh(`${setup} up`);
console.log(
  JSON.stringify({
    seen: all.map(({ seen }) => seen),
    later,
    moved: moved.seen,
    gone,
    renumbered: all[2].error,
    bytes: Object.fromEntries(kept),
  }),
);
process.exit();
