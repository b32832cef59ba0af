import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EXIT } from '../../scripts/lib/cli.ts';
import { Secret } from '../../scripts/lib/config.ts';
import { connectSsh, SshFault } from '../../scripts/lib/transport/ssh.ts';
import { login, type Rig, sshServer, targetAt } from './ssh-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-sudo-'));
after(() => rmSync(folder, { recursive: true }));
const log = join(folder, 'log');

/** Does what sudo does with its flags, terminal, password and tries; notes each password that it was given. */
const SUDO = `#!/bin/sh
unset ask stdin
while :; do
  case $1 in
    -n) ask=no ;; -S) stdin=yes ;; -H) ;; -p) shift ;; *) break ;;
  esac
  shift
done
case $FAKE in
  free) ;;
  password)
    [ "$ask" = no ] && { echo 'sudo: a password is required' >&2; exit 1; }
    echo 'We trust you have received the usual lecture.' >&2
    tries=0
    while :; do
      IFS= read -r p || { echo "sudo: $tries incorrect password attempts" >&2; exit 1; }
      printf '%s\\n' "$p" >>"$FAKE_LOG"
      [ "$p" = "$(cat "$FAKE_PASSWORD")" ] && break
      tries=$((tries + 1))
      echo 'Sorry, try again.' >&2
      [ $tries = 3 ] && exit 1
    done ;;
  *) echo "$FAKE" >&2; exit 1 ;;
esac
exec 3<&- "$@"
`;
writeFileSync(join(folder, 'sudo'), SUDO, { mode: 0o755 });
const PASSWORD = `it's "s3cr$et" \\n !`;
writeFileSync(join(folder, 'password'), `${PASSWORD}\n`);

const server = (FAKE: string, path = `${folder}:${process.env.PATH}`): Promise<Rig> => {
  writeFileSync(log, '');
  return sshServer({
    env: { PATH: path, FAKE, FAKE_LOG: log, FAKE_PASSWORD: join(folder, 'password') },
  });
};

async function run(rig: Rig, script: string, password?: string) {
  const become = { password: password === undefined ? undefined : new Secret(password) };
  const transport = await connectSsh(targetAt(rig.port, 'vpn1', 'eve'), login({ become }));
  try {
    return { ...(await transport.run(script)), rounds: transport.rounds };
  } finally {
    transport.close();
  }
}

const tried = (): string[] => readFileSync(log, 'utf8').split('\n').slice(0, -1);

/** Longer than a pipe holds, with a line that would show if it were taken for a password. */
const SCRIPT = `echo out; echo err >&2; cat <<'END' | wc -c
${'x'.repeat(200_000)}
END
exit 7`;
const ANSWER = { code: 7, stdout: 'out\n200001\n', stderr: 'err\n', rounds: 1 };

for (const [name, fake, password, passwords] of [
  ['without a password', 'free', undefined, []],
  ['with one that sudo does not ask for: it is no line of the script', 'free', PASSWORD, []],
  ['with one', 'password', PASSWORD, [PASSWORD]],
] as const)
  test(`a script runs by way of sudo, in one round trip: ${name}`, async () => {
    const rig = await server(fake);
    assert.deepEqual(await run(rig, SCRIPT, password), ANSWER);
    assert.deepEqual(tried(), passwords);
    // For any login shell: one line, nothing in the quotes that ends them.
    assert.match(rig.commands[0] ?? '', /^\/bin\/sh -c '[^'\n!]+'$/);
  });

test('the password is in no command line and no environment, where a word of the environment is found', async () => {
  const rig = await server('password');
  // In brackets, so that the search does not find itself.
  const look = (word: string): string =>
    `for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/environ; tr '\\0' '\\n' <$p/cmdline; done 2>/dev/null | grep -c '^.*[${word[0]}]${word.slice(1)}'; true`;
  const count = async (word: string): Promise<number> =>
    Number((await run(rig, look(word), PASSWORD)).stdout);
  assert.equal(await count('s3cr'), 0);
  assert.ok((await count('FAKE_LOG=')) > 0);
});

for (const [name, fake, password, what, next] of [
  ['a wrong password', 'password', 'wrong', /the sudo password of eve is wrong/, /--ask-become-pass \(-K\)/],
  ['no password', 'password', undefined, /sudo needs a password/, /--ask-become-pass \(-K\)/],
  [
    'nobody there',
    'eve is not in the sudoers file.',
    PASSWORD,
    /eve may not use sudo/,
    /usermod -aG sudo eve/,
  ],
  ['a terminal', 'sudo: sorry, you must have a tty to run sudo', undefined, /requiretty/, /visudo/],
  ['no right to', 'Sorry, user eve is not allowed to execute', PASSWORD, /eve may not use sudo/, /usermod/],
  [
    'something else',
    'sudo: no such plugin',
    undefined,
    /no root shell: sudo: no such plugin/,
    /sudo -n true/,
  ],
] as const)
  test(`sudo refuses: ${name}`, async () => {
    const rig = await server(fake);
    await assert.rejects(run(rig, SCRIPT, password), (error: unknown) => {
      assert.ok(error instanceof SshFault);
      assert.deepEqual([error.kind, error.code], ['sudo', EXIT.failed]);
      assert.match(error.message, what);
      assert.match(error.next ?? '', next);
      return true;
    });
    // One try, and never a line of the script for another.
    assert.deepEqual(tried(), password === 'wrong' ? ['wrong'] : []);
  });

test('sudo is not there', async () => {
  const rig = await server('free', '/nowhere');
  await assert.rejects(run(rig, 'true'), /sudo is not installed/);
});
