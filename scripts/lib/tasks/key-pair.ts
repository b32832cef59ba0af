import { EXIT, Fault } from '../cli.ts';
import type { Change, Task, Verdict } from '../runner/task.ts';

/** Where a server keeps its private key; it is made there and never read from outside. */
export const SERVER_KEY = '/etc/wireguard/wg0.key';

const PUBLIC_KEY = /^[A-Za-z0-9+/]{43}=$/;

/** Where it is; for root alone. */
const FOLDER = '/etc/wireguard';
const FOLDER_MODE = '700:root';

/**
 * Prints `mode PUBLIC` for a key file, `live` where only the running interface holds a key, `none` otherwise; then a line
 * `folder MODE` where its folder is open to others.
 */
const PROBE = `
folder=${FOLDER_MODE}
if [ -s ${SERVER_KEY} ]; then
  set -- $(stat -L -c '%a:%U' ${FOLDER} ${SERVER_KEY})
  folder=$1
  printf '%s ' "$2"
  if command -v wg >/dev/null; then wg pubkey <${SERVER_KEY} || echo broken; else echo unread; fi
else
  [ ! -d ${FOLDER} ] || folder=$(stat -L -c '%a:%U' ${FOLDER})
  if command -v wg >/dev/null && [ "$(wg show wg0 public-key 2>/dev/null || echo '(none)')" != '(none)' ]; then echo live
  else echo none
  fi
fi
[ "$folder" = ${FOLDER_MODE} ] || echo "folder $folder"`;

/**
 * Moved into place only when whole, so that half a key is never taken for one. Asked again here, under the host's
 * lock, whether there is one: another run may have made it since the probe, and it stays.
 */
const keeping = (source: string): string => `
umask 077
mkdir -p /etc/wireguard
if [ ! -s ${SERVER_KEY} ]; then
  ${source} >${SERVER_KEY}.comps-new
  # wg does not notice that nothing could be written.
  [ -s ${SERVER_KEY}.comps-new ] || { rm -f ${SERVER_KEY}.comps-new; echo 'cannot write ${SERVER_KEY}: is the disk full?' >&2; exit 1; }
  wg pubkey <${SERVER_KEY}.comps-new >/dev/null
  sync ${SERVER_KEY}.comps-new
  mv -f ${SERVER_KEY}.comps-new ${SERVER_KEY}
fi
wg pubkey <${SERVER_KEY}`;

/** What a host calls its public key goes into the client's files, so nothing else may be in it. */
function checked(said: string): string {
  const key = said.trim();
  if (PUBLIC_KEY.test(key)) return key;
  throw new Fault({
    what: `expected a public key, got ${JSON.stringify(key.slice(0, 60))}`,
    code: EXIT.failed,
  });
}

const lastLine = (outputs: readonly string[]): string => checked(outputs.at(-1) ?? '');

/** What is to be done about its folder, and the rest of what the probe printed. */
function folderOf(seen: string): { changes: Change[]; said: string } {
  const said = seen.trim();
  const open = /\nfolder \d+:\S+$/.exec(said);
  if (open === null) return { changes: [], said };
  const line = `set mode 700 and owner root on ${FOLDER}`;
  return {
    changes: [{ line, shell: `chown root:root ${FOLDER}\nchmod 700 ${FOLDER}` }],
    said: said.slice(0, open.index),
  };
}

function judge(seen: string): Verdict {
  const { changes, said } = folderOf(seen);
  if (said === 'none')
    return {
      changes: [...changes, { line: 'make a key pair', shell: keeping('wg genkey') }],
      value: lastLine,
    };
  if (said === 'live')
    return {
      changes: [
        ...changes,
        { line: "keep the running interface's key pair", shell: keeping('wg show wg0 private-key') },
      ],
      value: lastLine,
    };
  const stop = said.indexOf(' ');
  const [owner, key] = [said.slice(0, stop), said.slice(stop + 1)];
  if (key === 'broken')
    throw new Fault({
      what: `${SERVER_KEY} holds no WireGuard key: remove it on that host to have a new one made`,
      code: EXIT.failed,
    });
  if (owner !== '600:root')
    changes.push({
      line: `set mode 600 on ${SERVER_KEY}`,
      shell: `chown root ${SERVER_KEY}\nchmod 600 ${SERVER_KEY}`,
    });
  if (key !== 'unread') checked(key);
  // A key is there but wg is not installed yet: its public half is known after that.
  if (key === 'unread')
    changes.push({ line: `read the public half of ${SERVER_KEY}`, shell: `wg pubkey <${SERVER_KEY}` });
  return key === 'unread' ? { changes, value: lastLine } : { changes, value: () => key, valueHolds: true };
}

/** Name of the task whose value is the public key. */
export const KEY_PAIR = 'key pair';

/** The server has a key pair; the task's value is the public key. */
export const keyPair = <F>(): Task<F> => ({ name: KEY_PAIR, tags: ['keys'], probe: PROBE, judge });
