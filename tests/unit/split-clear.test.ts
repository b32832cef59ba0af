/** What takes a split away, where `ip` and `nft` say what a test has them say. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { searchPath } from '../../client/scripts/lib/command.ts';
import { Fault } from '../../client/scripts/lib/fault.ts';
import { clearSplit } from '../../client/scripts/lib/kernel-split.ts';

const folder = mkdtempSync(join(tmpdir(), 'comps-clear-'));
const path = process.env.PATH;
after(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true });
});
symlinkSync(execFileSync('which', ['sh'], { encoding: 'utf8' }).trim(), join(folder, 'sh'));
process.env.PATH = folder;

function program(name: string, text: string): void {
  writeFileSync(join(folder, name), `#!${folder}/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** The commands that a clearing sent. */
async function cleared(): Promise<{ found: boolean; sent: string[] }> {
  const sent: string[] = [];
  const { found } = await clearSplit({
    send: (command, done) => {
      sent.push(command);
      done({ ok: true } as never);
    },
  });
  return { found, sent };
}

const there = (): void =>
  program(
    'ip',
    `case "$*" in
      *'rule show'*) echo '[{"priority":99,"fwmark":"0xcabd","table":"51901"}]' ;;
      *'route show'*) echo '[{"dst":"default","dev":"wgnet1","table":"51901"}]' ;;
      *) exit 1 ;;
    esac`,
  );

test('where nftables cannot be asked, rules and routes of a split stay, and a Fault says so', async () => {
  const commands = ['rule delete pref 99 lookup 51901', 'route flush table 51901'];
  there();
  for (const nft of [undefined, 'echo "Operation not permitted" >&2; exit 1']) {
    if (nft !== undefined) program('nft', nft);
    await assert.rejects(cleared(), (error) => {
      assert.ok(error instanceof Fault);
      assert.match(
        error.message,
        /^comps_split: there are rules or tables of a split, which are left as they are: /,
      );
      assert.match(error.message, nft === undefined ? /cannot run nft: .*ENOENT/ : /Operation not permitted/);
      assert.equal(error.next, 'apt-get install nftables');
      return true;
    });
  }
  // Nothing marks: what is left may go.
  program('nft', `echo '{"nftables":[]}'`);
  assert.deepEqual(await cleared(), { found: true, sent: commands });
});

test('where nothing is there of a split, it does not matter that nftables cannot be asked', async () => {
  program('nft', 'exit 1');
  program('ip', `case "$*" in *link*) exit 1 ;; *) echo '[]' ;; esac`);
  assert.deepEqual(await cleared(), { found: false, sent: [] });
});

test('the PATH of su and cron is given the folders of nft and tc, behind its own', () => {
  assert.equal(searchPath('/a:/usr/sbin'), '/a:/usr/sbin:/usr/local/sbin:/sbin');
  const root = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  assert.equal(searchPath(root), root);
  for (const none of [undefined, ''])
    assert.match(searchPath(none), /^\/usr\/local\/bin:\/usr\/bin:\/bin:.*:\/sbin$/);
});
