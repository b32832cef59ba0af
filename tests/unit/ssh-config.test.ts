import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { evaluate, filesOf } from '../../scripts/lib/transport/config/evaluate.ts';
import { secondsOf } from '../../scripts/lib/transport/config/fill.ts';
import { jumpOfCommand } from '../../scripts/lib/transport/config/jump.ts';
import { settle } from '../../scripts/lib/transport/config/settings.ts';
import type { LoginTarget } from '../../scripts/lib/transport/login-target.ts';
import { withSshConfig, worldOf } from '../../scripts/lib/transport/ssh-config.ts';

const home = mkdtempSync(join(tmpdir(), 'comps-ssh-config-'));
after(() => rmSync(home, { recursive: true }));
mkdirSync(join(home, '.ssh', 'd'), { recursive: true });
writeFileSync(join(home, '.ssh', 'd', '1.conf'), 'Host inc*\n  Port 4001\n  User one\n');
writeFileSync(join(home, '.ssh', 'd', '2.conf'), 'User two\nPort 4002\nHost other\n  Port 4003\n');
writeFileSync(join(home, '.ssh', 'd', '.hidden.conf'), 'Port 4999\n');
const D = join(home, '.ssh', 'd');

let files = 0;
function world(text: string) {
  const notices: string[] = [];
  const file = join(home, `config${files++}`);
  writeFileSync(file, text);
  return { ...worldOf(home, [file], (line) => notices.push(line)), notices, file };
}

interface Seen {
  hostname: string;
  port: string;
  user: string;
  identityfile: string[];
  proxyjump: string;
}

/** What OpenSSH itself makes of it. */
function openssh(file: string, host: string, user?: string): Seen {
  const who = user === undefined ? [] : ['-l', user];
  const text = execFileSync('ssh', ['-G', '-F', file, ...who, host], { encoding: 'utf8', stdio: 'pipe' });
  const all = (key: string): string[] =>
    text.split('\n').flatMap((line) => (line.startsWith(`${key} `) ? [line.slice(key.length + 1)] : []));
  const [usual] = all('identityfile');
  return {
    hostname: all('hostname')[0] ?? '',
    port: all('port')[0] ?? '',
    user: all('user')[0] ?? '',
    identityfile: usual === '~/.ssh/id_rsa' ? [] : all('identityfile'),
    proxyjump: all('proxyjump')[0] ?? '',
  };
}

function ours({ files: [file = ''], ...rest }: ReturnType<typeof world>, host: string, user?: string): Seen {
  const here = { files: [file], ...rest };
  const said = evaluate([file], { host, user, localUser: here.localUser }, here.sources);
  const settled = settle({ host, user }, here);
  const jump = said.get('proxyjump')?.[0]?.words[0] ?? '';
  return {
    hostname: settled.address,
    port: String(settled.port),
    user: settled.user ?? here.localUser,
    identityfile: said.get('identityfile')?.map(({ words: [word = ''] }) => word) ?? [],
    proxyjump: jump.toLowerCase() === 'none' ? '' : jump,
  };
}

/** A file, and the hosts (`user@host`) to ask about. */
const CASES: [name: string, text: string, hosts: string][] = [
  ['nothing at all', '', 'a 192.0.2.1'],
  ['the first value wins', 'Host a\n Port 1\nHost *\n Port 2\n User u\nHost a\n User v', 'a b'],
  ['lines before any Host', 'Port 9\nHost a\n Port 1', 'a b'],
  ['globs', 'Host web?.* 192.0.2.*\n Port 3', 'web1.x web12.x 192.0.2.77 192.0.3.1 webx.'],
  ['a negated pattern', 'Host *.x !bad.x\n Port 4\nHost !a b\n Port 5\nHost !b\n Port 6', 'a.x bad.x a b c'],
  ['a negated pattern in front', 'Host !bad.x *.x\n Port 4', 'bad.x good.x'],
  ['capitals', 'HOST Foo\n POrt 7\nHost foo\n pORT 8', 'Foo foo FOO'],
  ['equals signs and tabs', 'Host=a\n\tPort = 11\n\tUser=eve\n HostName\t=\tb', 'a'],
  ['quotes', 'Host "a" \'b\'\n User "eve"\n IdentityFile "~/a key"', 'a b'],
  ['a backslash', 'Host a\n IdentityFile ~/a\\ key\n IdentityFile "~/b\\"q"\n IdentityFile ~/c\\d', 'a'],
  ['comments', '# x\nHost a # b\n Port 5 # six\n  # y\n IdentityFile ~/k#1\n User "#u"', 'a b # #'],
  ['line ends of Windows', 'Host a\r\n Port 5\r\n User eve\r\n', 'a'],
  [
    'HostName',
    'Host a\n HostName 192.0.2.7\nHost b\n HostName %h.Example.ORG\nHost c\n HostName x%%y',
    'a b',
  ],
  ['HostName twice', 'Host a\n HostName first\n HostName second', 'a'],
  [
    'many keys',
    'Host a\n IdentityFile ~/1\n IdentityFile ~/2\nHost *\n IdentityFile ~/3\n IdentityFile ~/1',
    'a b',
  ],
  ['no key', 'Host a\n IdentityFile none\nHost b\n IdentityFile ~/.ssh/%r_%h', 'a b'],
  ['ProxyJump', 'Host a\n ProxyJump b\nHost c\n ProxyJump eve@b:2222,[2001:db8::1]:23', 'a c'],
  ['ProxyJump none first', 'Host a\n ProxyJump none\nHost *\n ProxyJump b', 'a'],
  ['ProxyCommand before ProxyJump', 'Host a\n ProxyCommand ssh -W %h:%p c\n ProxyJump b', 'a'],
  ['ProxyJump before ProxyCommand', 'Host a\n ProxyJump b\n ProxyCommand nc %h %p', 'a'],
  ['Match all', 'Match all\n Port 7\nHost a\n Port 8', 'a'],
  ['Match host', 'Match host a,b*\n Port 7\nMatch host !c,*\n Port 8', 'a bb c d'],
  ['Match host behind HostName', 'Host a\n HostName b.x\nMatch host *.x\n Port 7', 'a b.x c'],
  [
    'Match originalhost',
    'Host a\n HostName b\nMatch originalhost a\n Port 7\nMatch originalhost b\n Port 8',
    'a b',
  ],
  ['Match user', 'Match user eve\n Port 7\nMatch user ad*\n Port 8', 'a eve@a admin@a'],
  ['Match user behind User', 'Host a\n User eve\nMatch user eve\n Port 7', 'a b admin@a'],
  ['Match of several', 'Match host a user eve\n Port 7\nMatch host a !user eve\n Port 8', 'a eve@a eve@b'],
  ['Match negated', 'Match !host a\n Port 7', 'a b'],
  ['Match final', 'Host a\n HostName b\nMatch final host b\n Port 7\nHost b\n User late', 'a b c'],
  ['Match localuser', 'Match localuser nobody-here\n Port 7\nMatch localuser *\n Port 8', 'a'],
  ['Include', `Include ${D}/1.conf\nPort 5`, 'inc1 b'],
  ['Include of many', `Include ${D}/*.conf\nPort 5`, 'inc1 b other'],
  ['Include below Host', `Host inc1\n Include ${D}/1.conf\n Port 6\nHost *\n Port 7`, 'inc1 inc2'],
  ['Include below a Host of others', `Host x\n Include ${D}/2.conf\nHost *\n Port 7`, 'a other x'],
  ['Include of nothing', `Include ${D}/none*.conf ${D}/none\nPort 5`, 'a'],
  ['a user with the command line', 'User eve\nHost a\n User ann', 'bob@a bob@b'],
];

for (const [name, text, hosts] of CASES)
  test(`as ssh -G reads it: ${name}`, () => {
    const here = world(`${text}\n`);
    for (const one of hosts.split(' ').filter((host) => !host.startsWith('#'))) {
      const [host = '', user] = one.split('@').reverse();
      assert.deepEqual(ours(here, host, user), openssh(here.file, host, user), one);
    }
    assert.deepEqual(here.notices, []);
  });

test('commands of Match exec are never run, and the user hears of it once', () => {
  const mark = join(home, 'ran');
  const here = world(`Match host a exec "touch ${mark}"\n Port 7\nMatch host b exec true\n Port 8\n`);
  assert.equal(settle({ host: 'a' }, here).port, 22);
  assert.equal(settle({ host: 'a' }, here).port, 22);
  assert.throws(() => rmSync(mark), /ENOENT/);
  assert.equal(here.notices.length, 1);
  assert.match(here.notices[0] ?? '', /config\d+:1: the command of Match exec is not run/);
});

const host = (
  name: string,
  more: Partial<LoginTarget> & { group?: string } = {},
): LoginTarget & { group?: string } => ({
  ...{ name, address: name, port: 22, user: 'root', line: 3 },
  implied: { address: true, port: true, user: true },
  ...more,
});

test('what the inventory says counts more; what it leaves out comes from the file', () => {
  const here = world('Host *\n Port 2222\n User eve\n HostName %h.example.org\n');
  const [a, b] = withSshConfig(
    [
      host('a'),
      host('b', {
        port: 22,
        user: 'root',
        implied: { address: true, port: false, user: false },
        group: 'vpn',
      }),
    ],
    'hosts.ini',
    here,
  );
  assert.deepEqual([a?.address, a?.port, a?.user], ['a.example.org', 2222, 'eve']);
  assert.deepEqual([b?.address, b?.port, b?.user, b?.group], ['b.example.org', 22, 'root', 'vpn']);
  // Nobody says: our own default, not the user's name here.
  assert.equal(withSshConfig([host('c')], 'hosts.ini', world(''))[0]?.user, 'root');
});

test('keys, agent and known hosts with tokens, variables and the home directory', () => {
  process.env.COMPS_TEST_KEYS = '/keys';
  const { ssh } = settle(
    { host: 'a' },
    world(
      `Host a\n HostName 192.0.2.9\n Port 77\n User eve\n IdentityFile ~/.ssh/%r@%h-%p-%n\n IdentityFile \${COMPS_TEST_KEYS}/%%\n` +
        ' IdentitiesOnly yes\n IdentityAgent %d/agent\n UserKnownHostsFile ~/k1 "~/k 2"\n HostKeyAlias alias\n' +
        ' StrictHostKeyChecking accept-new\n ConnectTimeout 1m\n',
    ),
  );
  assert.deepEqual(ssh, {
    identityFiles: [`${home}/.ssh/eve@192.0.2.9-77-a`, '/keys/%'],
    identitiesOnly: true,
    agent: `${home}/agent`,
    knownHostsFiles: [`${home}/k1`, `${home}/k 2`],
    hostKeyAlias: 'alias',
    hostKeyChecking: 'accept-new',
    connectTimeout: 60,
    jumps: [],
  });
  assert.deepEqual(['90', '1h2m3s', '', 'x'].map(secondsOf), [90, 3723, undefined, undefined]);
});

test('the way there: each machine as its own lines say, the first one with its own way', () => {
  const here = world(
    'Host a\n ProxyJump b,eve@c:99\nHost b\n HostName 192.0.2.2\n User bob\n ProxyJump d\nHost c\n ProxyJump nobody\nHost d\n Port 4\n',
  );
  const way = (one: Partial<LoginTarget> = {}): string[] =>
    withSshConfig([host('a', one)], 'hosts.ini', here)[0]?.ssh?.jumps.map(
      ({ name, user, address, port }) => `${name}: ${user}@${address}:${port}`,
    ) ?? [];
  const { localUser } = here;
  assert.deepEqual(way(), [`d: ${localUser}@d:4`, 'b: bob@192.0.2.2:22', 'c: eve@c:99']);
  assert.deepEqual(way({ proxyJump: 'ann@d' }), ['d: ann@d:4']);
  assert.deepEqual(way({ proxyJump: 'none' }), []);
});

test('a ProxyCommand that is a jump is taken for one', () => {
  for (const [command, jump] of [
    ['ssh -W %h:%p bastion', 'bastion'],
    ['exec /usr/bin/ssh -q -W [%h]:%p -p 2222 eve@bastion', 'eve@bastion:2222'],
    ['ssh -l eve -p2222 bastion -W %h:%p', 'eve@bastion:2222'],
    ['ssh bastion nc %h %p', undefined],
    ['ssh -i key -W %h:%p bastion', undefined],
    ['nc -X connect -x proxy:3128 %h %p', undefined],
    ['ssh -W localhost:22 bastion', undefined],
  ])
    assert.equal(jumpOfCommand(command ?? ''), jump, command);
});

for (const [name, text, at, what] of [
  [
    'a ProxyCommand',
    'Host x\n ProxyCommand no\nHost a\n ProxyCommand nc %h %p',
    4,
    /ProxyCommand for a is not run/,
  ],
  ['a circle', 'ProxyJump b', 1, /goes in a circle/],
  ['an open quote', 'Host a\n User "eve', 2, /quote is left open/],
  ['a port', 'Host a\n Port ssh', 2, /Port ssh is none/],
  ['a jump', 'ProxyJump b:99999', 1, /is no host/],
  ['a token', 'Host a\n HostName %q', 2, /%q is no token/],
  ['a variable', `IdentityFile \${COMPS_NOT_SET}/x`, 1, /COMPS_NOT_SET} is not set/],
  ['an address', 'Host a\n HostName 1.2.3', 2, /HostName of a is 1\.2\.3/],
] as const)
  test(`refused with its line: ${name}`, () => {
    const here = world(`${text}\n`);
    assert.throws(
      () => withSshConfig([host('a')], 'hosts.ini', here),
      (error: unknown) =>
        error instanceof Fault &&
        error.message.startsWith(`${here.file}:${at}: `) &&
        what.test(error.message),
    );
  });

test('two hosts with one HostName are refused', () => {
  assert.throws(
    () => withSshConfig([host('a'), host('b')], 'hosts.ini', world('HostName 192.0.2.1\n')),
    /b has the address of a: 192\.0\.2\.1/,
  );
});

test('a file is found where HOME is, and a folder is none', () => {
  assert.deepEqual(worldOf(home).files, [join(home, '.ssh', 'config'), '/etc/ssh/ssh_config']);
  assert.notEqual(home, homedir());
  assert.equal(worldOf(home).sources.read(join(home, '.ssh')), undefined);
  assert.deepEqual(
    filesOf('/a/*/c?', (folder) => (folder === '/a' ? ['x', '.y'] : ['c1', 'd1'])),
    ['/a/x/c1'],
  );
});
