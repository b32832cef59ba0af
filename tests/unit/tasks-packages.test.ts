import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../scripts/lib/poll.ts';
import { wireguardPackages } from '../../scripts/lib/tasks/package.ts';
import { awaitLocksShell } from '../../scripts/lib/tasks/package-lock.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-packages-'));
after(() => rmSync(folder, { recursive: true }));

const told = join(folder, 'told');
const SAY = `say() { echo "said: $*"; touch '${told}'; }\n`;

test('a package lock is waited for: its holder is named at once, and again when the time is up', async () => {
  const lock = join(folder, 'lock-frontend');
  writeFileSync(lock, '');
  // As apt takes it: fcntl(2), type F_WRLCK, the whole file.
  const take =
    '$s = pack "s s x4 q q i x4", 1; open F, "+<", $ARGV[0]; fcntl F, 6, $s or die; $| = 1; print "held\\n"; sleep';
  const holder = spawn('perl', ['-e', take, lock], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const wait = (seconds: number): Promise<{ code: number; stdout: string; stderr: string }> =>
      attempt(['sh', '-se'], { input: `${SAY}${awaitLocksShell(seconds, [lock])}\nawait_locks\necho free` });
    const named = `perl \\(pid ${holder.pid}\\)`;
    // Whole seconds: two and more of them are left, however long this shell takes to look.
    const late = await wait(3);
    assert.equal(late.code, 1);
    assert.match(
      late.stdout,
      new RegExp(`^said: ${named} holds the package lock ${lock}; it has [1-3] s to end\n$`),
    );
    assert.match(
      late.stderr,
      new RegExp(`^after 3 s ${named} still holds the package lock .*\nnext: .*ps -fp ${holder.pid}`),
    );
    rmSync(told);
    const waiting = wait(60);
    assert.ok(await until(60_000, () => existsSync(told)));
    holder.kill();
    const { code, stdout } = await waiting;
    assert.equal(code, 0);
    assert.match(stdout, /^said: .*\nfree\n$/);
  } finally {
    holder.kill('SIGKILL');
  }
});

/** Runs the installation with an apt-get that says this and fails. */
async function failing(words: string): Promise<string> {
  const [change] = wireguardPackages().judge('', { egress: 'e', kernelWireguard: true }).changes;
  writeFileSync(join(folder, 'apt-get'), `#!/bin/sh\necho '${words}'\nexit 100\n`, { mode: 0o755 });
  writeFileSync(join(folder, 'dpkg'), '#!/bin/sh\n', { mode: 0o755 });
  const path = `PATH=${folder}:$PATH\n`;
  const { code, stderr } = await attempt(['sh', '-se'], { input: `${SAY}${path}${change?.shell}` });
  assert.equal(code, 1);
  return stderr;
}

test('what apt says is given a plain meaning and a next step', async () => {
  const future = 'E: Release file for http://x/InRelease is not valid yet (invalid for another 2h 3min).';
  assert.match(
    await failing(future),
    /^E: Release file .*\n.*the clock of this host may be wrong: 20.* UTC there\nnext: /s,
  );
  assert.match(await failing('E: Unable to locate package wireguard-tools'), /package sources lack that/);
  assert.match(
    await failing('Err: Temporary failure resolving deb.debian.org'),
    /does not reach its package mirror/,
  );
  assert.equal(await failing('E: odd'), 'E: odd\nE: odd\n');
});
