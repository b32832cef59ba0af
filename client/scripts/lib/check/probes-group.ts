/** All probes, sent once, and what the capture says of them. */

import { type Leak, leakText } from './packets.ts';
import { judgeProbe, leaked } from './probe-verdict.ts';
import { type Probe, sendAll } from './probes.ts';
import { installLine, spawnless } from './tools.ts';
import { bad, type Finding, good, leftOut, SET_UP } from './verdict.ts';
import type { Seen, Watch } from './watch.ts';

const CONTROL = ['capture', 'the capture sees what leaves'] as const;

/** What to do about a capture that is blind: the program that it lacks, or that does not start. */
function remedyOf(blind: string): string {
  const lacks = /^(\w+) is missing|failed to execute (\w+)/.exec(blind);
  const program = lacks?.[1] ?? lacks?.[2] ?? spawnless(blind);
  if (program !== undefined) return installLine(program);
  const device = /^tcpdump on (\S+) does not capture/.exec(blind)?.[1];
  if (device === undefined) return `${SET_UP}; then this again`;
  return `tcpdump -i ${device} -c 1, which says why; is it broken: apt-get install --reinstall tcpdump`;
}

/** The positive control. Pure. */
export function judgeControl(blind: string | undefined, devices: readonly string[]): Finding {
  const by = devices.join(', ');
  if (blind === undefined) return good(...CONTROL, `the tunnels’ own packets, on ${by}`);
  return bad(...CONTROL, 'the capture is blind', blind, remedyOf(blind));
}

/** The capture's end, and what left beside probes and drills. Pure. */
export function judgeEnd(blind: string | undefined, leaks: readonly Leak[]): Finding {
  const [id, what] = ['capture-end', 'the capture, to its end'];
  if (leaks.length > 0) return leaked(id, what, leaks, leakText);
  if (blind !== undefined) return { ...judgeControl(blind, []), id, what };
  return good(id, what, 'whole, and nothing else past the tunnels');
}

/** What left and is none of the probes'. Pure. */
export function judgeOthers(probes: readonly Probe[], leaks: readonly Leak[]): Finding {
  const [id, what] = ['probe-others', 'anything else on the wire'];
  const others = leaks.filter((leak) => !probes.some((probe) => probe.is(leak)));
  if (others.length === 0) return good(id, what, 'nothing past the tunnels');
  return leaked(id, what, others, leakText);
}

/** The third group, with the leaks for whoever wants them all. */
export async function probesGroup(
  watch: Watch,
  probes: readonly Probe[],
  devices: readonly string[],
): Promise<{ findings: Finding[] } & Seen> {
  const tried = await sendAll(probes);
  const { leaks, fragments } = await watch.news();
  const control = judgeControl(watch.blind, devices);
  const judged = probes.map((probe) =>
    judgeProbe(probe, tried.get(probe.id) ?? { results: [] }, leaks, leakText),
  );
  const all = [...judged, judgeOthers(probes, leaks)];
  // A blind capture proves nothing; what it did see stays.
  const believed = all.map((finding) =>
    control.ok || finding.ok !== true ? finding : leftOut(finding.id, finding.what, 'the capture is blind'),
  );
  return { findings: [control, ...believed], leaks, fragments };
}
