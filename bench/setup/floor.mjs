// The least that any tool of this kind must do: `floor.mjs KEY ADDRESS...` connects to all and runs `true` on each.
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';

const [key, ...addresses] = process.argv.slice(
  process.argv.findIndex((word) => word.endsWith('floor.mjs')) + 1,
);
const privateKey = readFileSync(key);

const visit = (host) =>
  new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('error', reject).on('ready', () =>
      client.exec('true', (error, channel) => {
        if (error) return reject(error);
        channel.on('close', () => {
          client.end();
          resolve();
        });
        channel.resume();
      }),
    );
    client.connect({ host, username: 'root', privateKey, hostVerifier: () => true, readyTimeout: 60_000 });
  });

await Promise.all(addresses.map(visit));
