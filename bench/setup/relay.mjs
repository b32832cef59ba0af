// A network that is far away: `relay.mjs MS PORT=ADDRESS...` listens on these ports of 127.0.0.1 and passes all on to
// port 22 of the address, each way half of MS later; a connection, too, is there only when its handshake would be over.
import { once } from 'node:events';
import net from 'node:net';

// Run by its text (`node -e`), where its own words begin at once.
const [delay, ...ways] = process.argv.slice(1);
const half = Number(delay) / 2;
const SSH = 22;

/** Passes on what comes, each piece when its time has come, in order; `open` resolves when there is somebody to pass it to. */
function carry(from, to, open) {
  let before = open;
  const later = (act) => {
    const due = new Promise((resolve) => setTimeout(resolve, half));
    before = Promise.all([before, due]).then(act);
  };
  from.on('data', (piece) => later(() => to.write(piece)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroySoon()));
}

for (const way of ways) {
  const [port, host] = way.split('=');
  const server = net.createServer({ noDelay: true }, (near) => {
    const far = new net.Socket();
    far.setNoDelay(true);
    // The question there and the answer back; then the first word of the one who asked, with which the server begins.
    const open = new Promise((resolve) => {
      setTimeout(() => far.connect(SSH, host, resolve), 3 * half);
    });
    carry(near, far, open);
    carry(far, near, Promise.resolve());
  });
  server.listen(Number(port), '127.0.0.1');
  await once(server, 'listening');
}
console.log('ready');
