/** `setup.sh up` cut off at each of its lines, and migrators killed in mid-switching. */
import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { clientRun } from '../../scripts/lib/lab/client.ts';
import type { Lab } from '../../scripts/lib/lab/lab.ts';
import { run } from '../../scripts/lib/transport/local.ts';
import { MIGRATOR } from './leak-states.ts';

/** A line of `up`, and what became of the set-up that was killed there; times are seconds since 1970. */
export interface Cut {
  line: number;
  /** Before what was there was taken down. */
  opened: number;
  /** When nothing could leave any more: the first step of `up` was through. */
  closed: number;
  /** The exit code of the set-up that was cut, of the next one, and of a ping behind that. */
  codes: string;
}

/**
 * The same script, line for line, with a trap that runs before each of its commands: it notes when the first step of `up` is
 * through, and every line in $TRACE, and kills the script outright where line $CUT comes up for the $AT-th time. `places` are
 * these two: each line where it first runs, and each that changes something every time; with how deep in subshells.
 */
const PREPARE = `
first=$(grep -n '^  bar_the_devices$' $setup | cut -d : -f 1)
trap="case \\$LINENO in $first) [ -e /run/closed ] || echo \\$EPOCHREALTIME >/run/closed ;; esac; echo \\$LINENO \\$BASH_SUBSHELL >>\\$TRACE; if [ \\$LINENO = \\$CUT ] && [ \\$((AT -= 1)) = 0 ]; then kill -9 \\$\\$; fi"
awk -v trap="$trap" -v here="$(dirname $setup)" '
  /^HERE=/ { print "HERE=" here; next }
  /^set -euo pipefail$/ { print $0 "; set -T; trap \\x27" trap "\\x27 DEBUG"; next }
  { print }' $setup >/run/cut.sh
cut_at() { rm -f /run/closed; CUT=$1 AT=$2 TRACE=$3 bash /run/cut.sh up >/run/said 2>&1; }
places() {
  awk -v first=$first '
    FNR == NR { definition[FNR] = /^[a-z_0-9]+\\(\\) \\{$/; changes[FNR] = /^ *(ip|tc|nft|ensure_rule|WG_QUICK[A-Z_]*=[^ ]*) /; next }
    $1 == first { on = 1 }
    on && !definition[$1] { if ($2 == 0) n[$1]++; if (!seen[$1]++ || ($2 == 0 && changes[$1])) print $1, ($2 == 0 ? n[$1] : 1), $2 }
  ' $setup "$1"
}
`;

/** Takes away what `up` makes, without `down`'s care: many times quicker. What a killed set-up left running comes to its end first. */
const NOTHING = `
ended() { while pgrep -x "$1" >/dev/null; do sleep 0.01; done; }
nothing() {
  ended wg-quick
  for i in wg0 wgnet1 wgnet2 wgnet3; do echo link delete $i; done | ip -force -batch - 2>/dev/null
  for family in -4 -6; do
    { for p in 98 98 98 100 101 102; do echo rule delete pref $p; done
      for table in 51820 51821 52001 52002 52003; do echo route flush table $table; echo route delete unreachable default metric 4294967295 table $table; done
    } | ip $family -force -batch - 2>/dev/null
  done
  tc qdisc delete dev eth0 clsact 2>/dev/null
  nft flush ruleset
  # Seen as a network of before by the first \`up\` alone, else.
  [ ! -e /etc/resolv.conf.before-comps ] || mv -fT /etc/resolv.conf.before-comps /etc/resolv.conf
  ended wireguard-go
}
`;

/** All that a set-up makes, in words that are the same for the same. */
const LEFT = `
left() {
  { ip -o link show | sed 's/^[0-9]*: //; s/link.*//'; ip -4 -br addr; ip rule; ip -6 rule; ip route show table all; ip -6 route show table all
    nft list ruleset; tc filter show dev eth0 egress; wg show all fwmark; wg show all endpoints; sysctl -n net.ipv4.conf.all.rp_filter; cat /etc/resolv.conf
  } 2>/dev/null | grep -v fe80 | md5sum | cut -c -32
}
`;

/**
 * The same script once more, held still at each of the places in /run/places while probes pass: what the kernel has then is
 * what it has of a set-up that is killed there. /run/looks has a line each: the place, since when, and a word for all that is there.
 */
const HOLD = `
cat >/run/look <<'LOOK'
ROUNDS
LEFT
since=$EPOCHREALTIME
rounds 2
echo "$1 $2 $since $(left)" >>/run/looks
LOOK
cat >/run/holding <<'HOLDING'
declare -A comps_place=() comps_seen=(); while read -r comps_line comps_at _; do comps_place["$comps_line $comps_at"]=1; done </run/places; comps_hold() { [ "$1" != FIRST ] || [ -e /run/closed ] || echo "$EPOCHREALTIME" >/run/closed; comps_seen[$1]=$((\${comps_seen[$1]-0} + 1)); [ -z "\${comps_place["$1 \${comps_seen[$1]}"]-}" ] || bash /run/look "$1" "\${comps_seen[$1]}" </dev/null >/dev/null 2>&1; }; set -T; trap 'comps_hold $LINENO' DEBUG
HOLDING
sed -i "s/FIRST/$first/" /run/holding
awk -v here="$(dirname $setup)" '
  /^HERE=/ { print "HERE=" here; next }
  /^set -euo pipefail$/ { getline holding <"/run/holding"; print $0 "; " holding; next }
  { print }' $setup >/run/still.sh
`;

export interface CutPlan {
  /** The script that is cut off, with the tunnels' files beside it. */
  setup?: string;
  /** What each cut begins from: a shell line that brings it about; nothing at all where it is not given. */
  from?: string;
  /** Only each so manyth place. */
  every?: number;
}

/**
 * Cuts `up` off at each line behind its first step. `shell` has `rounds`, which lets probes pass. At first `up` is only held
 * still there; of the places that leave the same behind one is cut off and completed by another `up`, and each that is in a
 * subshell, where the rest may go on for a moment. The others have no code but that of a set-up that was cut.
 */
export async function cutEverywhere(
  lab: Lab,
  shell: string,
  site: string,
  { setup = '/etc/wireguard/setup.sh', from = 'nothing', every = 1 }: CutPlan = {},
): Promise<{ cuts: Cut[]; end: number }> {
  const hold = HOLD.replace('ROUNDS', () => shell).replace('LEFT', () => LEFT);
  const script = `${shell}setup=${setup}${PREPARE}${NOTHING}${LEFT}${hold}
    declare -A known held completed
    [ "${from}" != nothing ] || $setup down
    ${from}
    rm -f /run/trace
    cut_at none 1 /run/trace || { cat /run/said >&2; exit 1; }
    places /run/trace | awk '(NR - 1) % ${every} == 0' >/run/places
    ${from}
    rm -f /run/closed /run/looks
    bash /run/still.sh up >/run/said 2>&1 || { cat /run/said >&2; exit 1; }
    while read -r line at since state; do
      held["$line $at"]=$state
      echo "$line $since $since 137"
    done </run/looks
    while read -r line at depth; do
      state=\${held["$line $at"]-}
      [ $depth != 0 ] || [ -z "$state" ] || [ -z "\${known[$state]-}" ] || continue
      opened=$EPOCHREALTIME
      ${from}
      cut_at $line $at /dev/null; codes=$?
      rounds 2
      [ -z "$state" ] || known[$state]=1
      state=$(left)
      if [ -z "\${completed[$state]-}" ]; then
        completed[$state]=1
        $setup up >/run/said 2>&1; codes=$codes,$?
        ping -q -i 0.1 -c 1 -w 60 ${site} >/dev/null; codes=$codes,$?
      fi
      echo "$line $opened $(cat /run/closed) $codes"
    done </run/places
    $setup up
    echo "end $EPOCHREALTIME"`;
  const rows = (await clientRun(lab, 'bash', '-c', script))
    .trim()
    .split('\n')
    .map((row) => row.split(' '));
  const cuts = rows.filter(([word]) => word !== 'end');
  return {
    cuts: cuts.map(([line, opened, closed, codes]) => ({
      line: Number(line),
      opened: Number(opened),
      closed: Number(closed),
      codes: codes ?? '',
    })),
    end: Number(rows.at(-1)?.[1]),
  };
}

/** Starts a command again and again, and kills it outright so many milliseconds after its first switch. */
const KILLER = String.raw`
my ($moments, @command) = @ARGV;
for my $moment (split /,/, $moments) {
  my $pid = open(my $out, '-|', @command) or die "$!\n";
  my $seen;
  while (<$out>) { if (/"switch"/) { $seen = 1; last } }
  select(undef, undef, undef, $moment / 1000);
  print kill(9, $pid) && $seen ? "killed\n" : "ended by itself\n";
  close($out);
}`;

/**
 * The project's migrate.ts as one file that Node runs as it is: what tsx would make of it at each start, made once, so that a
 * hundred of them start in the time of twenty.
 */
export async function bundleMigrator(lab: Lab): Promise<void> {
  await run([
    ...[
      'node_modules/.bin/esbuild',
      'client/scripts/migrate.ts',
      '--bundle',
      '--platform=node',
      '--format=esm',
    ],
    '--banner:js=import{createRequire}from"node:module";const require=createRequire(import.meta.url);',
    ...['--log-level=warning', `--outfile=${join(lab.clientDirectory, basename(MIGRATOR))}`],
  ]);
}

/** Kills one migrator at each of these moments, milliseconds after its first switch. */
export async function killMigrators(lab: Lab, moments: readonly number[], ...words: string[]): Promise<void> {
  const input = KILLER;
  const { code, stdout, stderr } = await lab.exec('client', ['perl', '-', moments.join(','), ...words], {
    input,
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    stdout.trim().split('\n'),
    moments.map(() => 'killed'),
    stderr,
  );
}
