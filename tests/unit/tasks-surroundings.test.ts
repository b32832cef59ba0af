import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostFacts, hostFacts } from '../../scripts/lib/tasks/facts.ts';
import { FIREWALL_PROBE, firewallNotices } from '../../scripts/lib/tasks/firewall.ts';
import { surroundings } from '../../scripts/lib/tasks/surroundings.ts';
import { judgeSystem } from '../../scripts/lib/tasks/system.ts';
import { attempt } from '../../scripts/lib/transport/local.ts';

const facts: HostFacts = { egress: 'ens3', kernelWireguard: true };

test('systems: the four that it is written for, their kind as a best effort, others refused by name', () => {
  const kind = (id: string, version: string, like = ''): string => judgeSystem({ id, like, version });
  for (const [id, version] of [
    ['debian', '12'],
    ['debian', '13'],
    ['ubuntu', '22.04'],
    ['ubuntu', '24.04'],
  ] as const)
    assert.equal(kind(id, version), 'known', id + version);
  assert.equal(kind('debian', '11'), 'untried');
  assert.equal(kind('debian', ''), 'untried', 'testing has no number');
  assert.equal(kind('linuxmint', '22', 'ubuntu debian'), 'untried');
  assert.equal(kind('raspbian', '12', 'debian'), 'untried');
  assert.equal(kind('rocky', '9.4', 'rhel centos fedora'), 'foreign');
  assert.equal(kind('', ''), 'foreign');

  const said = (os: string): string => `${os}\nuid=0\napt=yes\nsystemd=yes\negress=eth0\n`;
  assert.throws(
    () => hostFacts.read(said('id=fedora\nversion=44\nos=Fedora Linux 44')),
    /its system is Fedora Linux 44, and/,
  );
  const mint = hostFacts.read(said('id=linuxmint\nlike=ubuntu debian\nversion=22\nos=Linux Mint 22'));
  assert.match(
    surroundings(51820).judge('', mint).notices?.[0] ?? '',
    /Linux Mint 22, which nobody has tried/,
  );
});

test('a clock that is off by more than a minute is told of, with what WireGuard and apt make of it', () => {
  const notices = (ahead: number) => surroundings(51820).judge('', { ...facts, ahead }).notices ?? [];
  assert.deepEqual([notices(0), notices(60), notices(-60)], [[], [], []]);
  assert.match(
    notices(-7300)[0] ?? '',
    /its clock is 2 h behind .*apt .*handshake[\s\S]*next: .*timedatectl/,
  );
  assert.match(notices(61)[0] ?? '', /its clock is 1 min ahead of/);
  assert.match(notices(-40 * 86400)[0] ?? '', /40 days behind/);
  const hour = Math.round(Date.now() / 1000) - 3600;
  const { ahead = 0 } = hostFacts.read(
    `id=debian\nversion=13\nuid=0\napt=yes\nsystemd=yes\negress=e\nclock=${hour}\n`,
  );
  assert.ok(Math.abs(ahead + 3600) < 60, String(ahead));
});

/** What iptables-nft of Debian 12 showed of its own rules. */
const ruleset = (input: string, forward: string, policy = 'drop'): string => `
# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy ${policy};
		ct state related,established counter accept
		tcp dport 22 counter accept
${input}	}

	chain FORWARD {
		type filter hook forward priority filter; policy ${policy};
${forward}	}
}
table ip comps {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
	}
}
`;

/** What the probe makes of it, with a \`nft\` that shows this text. */
async function told(rules: string, port = 51820): Promise<string[]> {
  const nft = `nft() { cat <<'RULES'\n${rules}\nRULES\n}\n`;
  const { code, stdout, stderr } = await attempt(['sh', '-s'], { input: nft + FIREWALL_PROBE });
  assert.equal(code, 0, stderr);
  return firewallNotices(stdout, port).map((notice) => notice.replace(/\n.*/s, ''));
}

const CLOSED_IN =
  'its firewall (chain INPUT of table ip filter) seems to let no UDP in at port 51820: no client would reach it';
const CLOSED_ON =
  'its firewall (chain FORWARD of table ip filter) seems to forward nothing from wg0: what comes out of the tunnel would end there';

test('a firewall that is in the way is told of, hook by hook, and one that lets WireGuard through is not', async () => {
  assert.deepEqual(await told(''), []);
  assert.deepEqual(await told(ruleset('', '', 'accept')), []);
  assert.deepEqual(await told(ruleset('', '')), [CLOSED_IN, CLOSED_ON]);
  const lets = '\t\tmeta l4proto udp udp dport { 53, 51820 } counter accept\n';
  const passes = '\t\tiifname "wg*" counter accept\n';
  assert.deepEqual(await told(ruleset(lets, passes)), []);
  assert.deepEqual(await told(ruleset(lets, '')), [CLOSED_ON]);
  // The last rule of a chain closes it as its policy would.
  const last = '\t\tcounter reject with icmp type host-prohibited\n';
  assert.deepEqual(await told(ruleset(last, last, 'accept')), [CLOSED_IN, CLOSED_ON]);
  for (const [ports, isOpen] of [
    ['500-600', false],
    ['51000-52000', true],
    ['@allowed', true],
    ['5182', false],
  ] as const)
    assert.deepEqual(
      await told(ruleset(`\t\tudp dport ${ports} counter accept\n`, passes)),
      isOpen ? [] : [CLOSED_IN],
      ports,
    );
});

test('where there is no nft yet, iptables is asked; the next step is of the program that wrote the rules', async () => {
  const iptables = `command() { [ "$2" = iptables ]; }
iptables() { cat <<'RULES'
-P INPUT DROP
-P FORWARD DROP
-A INPUT -p udp -m multiport --dports 53,51820 -j ACCEPT
RULES
}
`;
  const { stdout } = await attempt(['sh', '-s'], { input: iptables + FIREWALL_PROBE });
  assert.match(
    firewallNotices(stdout, 51820).join('\n'),
    /^its firewall \(chain FORWARD of iptables\)[^\n]*\n[^\n]*$/,
  );
  assert.match(
    firewallNotices(`${stdout}owner ufw\n`, 51820).join(),
    /next: there: ufw route allow in on wg0$/,
  );
});
