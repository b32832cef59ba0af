/** The status as people, programs and Prometheus get it. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { Fault } from '../../scripts/lib/cli.ts';
import { prometheusText } from '../../scripts/lib/status/prometheus.ts';
import type { Status } from '../../scripts/lib/status/status.ts';
import { ageText, bytesText, tableLines } from '../../scripts/lib/status/table.ts';
import { exitCodeFor, type StatusOptions } from '../../scripts/lib/steps/status.ts';
import { openScreen, redrawn } from '../../scripts/lib/steps/status-screen.ts';
import { unless } from '../../scripts/lib/steps/status-time.ts';
import { server, statusOf } from '../status-seen.ts';

test('figures are short, whatever they are', () => {
  const bytes = [0, 999, 1000, 999_949, 999_960, 12_300_000, 123_400_000, 999_600_000_000, null];
  assert.deepEqual(bytes.map(bytesText), [
    '0 B',
    '999 B',
    '1.0 kB',
    '1.0 MB',
    '1.0 MB',
    '12.3 MB',
    '123 MB',
    '1.0 TB',
    '-',
  ]);
  assert.deepEqual([0, 119, 120, 7199, 7200, 172_800].map(ageText), [
    '0 s',
    '119 s',
    '2 min',
    '119 min',
    '2 h',
    '2 d',
  ]);
});

test('the table: one path is marked, what is wrong comes with its remedy, and it is as narrow as it must be', () => {
  const status = statusOf({ servers: [server(0, { drift: ['nat: x', 'nat: y'] }), server(1), server(2)] });
  const lines = tableLines(status, 100);
  const text = lines.join('\n');
  assert.match(text, /^\d\d:\d\d:\d\d {2}client: container wgclient, path wgnet2, migrating by the clock$/m);
  assert.match(
    text,
    /^ {2}wgnet1 nyc 198\.51\.100\.11:51820 +12 s +3\.4 kB +1\.2 MB +1\.2 MB +3\.4 kB drift 2$/m,
  );
  assert.match(text, /^▸ wgnet2 198\.51\.100\.12:51820 .* ok$/m);
  assert.match(
    text,
    /drift: \[wgnet1 nyc\] nat: x\ndrift: \[wgnet1 nyc\] nat: y\n {6}next: SETUP\nnot well: 1 of 3 tunnels, 2 findings$/,
  );
  const rows = (width: number) =>
    tableLines(status, width).filter((line) => /^.. ?(tunnel|wg|last| +up)/.test(line));
  for (const width of [80, 60, 45])
    assert.ok(
      rows(width).every((line) => line.length <= width),
      rows(width).join('\n'),
    );
  const [top = '', below = ''] = tableLines(status, 40);
  assert.match(top, /^\d\d:\d\d:\d\d {2}client: container wgclient,$/);
  assert.equal(below, `${' '.repeat(10)}path wgnet2, migrating by the`);
  assert.match(tableLines(status, 60).join('\n'), /^ {4}198\.51\.100\.11:51820$/m);
  assert.equal(tableLines(statusOf(), 80).at(-1), 'all is well');
  assert.match(tableLines(statusOf({ client: undefined }), 80).join('\n'), /client: left out/);
});

test('metrics: each with help and type, labels escaped, nothing told that is not known', () => {
  const odd = {
    ...server(0, { drift: undefined, end: undefined, unreachable: new Fault({ what: 'gone' }) }),
    name: 'a"b\\c\nd',
  };
  const text = prometheusText(statusOf({ servers: [odd, server(1)], client: undefined }));
  assert.match(text, /^comps_server_reachable\{tunnel="wgnet1",server="a\\"b\\\\c\\nd"\} 0$/m);
  assert.match(text, /^comps_server_reachable\{tunnel="wgnet2",server="198\.51\.100\.12"\} 1$/m);
  assert.match(text, /^comps_tunnel_up_bytes_total\{tunnel="wgnet2",.*seen_by="server"\} 1200000$/m);
  assert.match(text, /^comps_tunnel_down_bytes_total\{tunnel="wgnet2",.*seen_by="server"\} 3400$/m);
  assert.match(text, /^comps_tunnel_last_handshake_timestamp_seconds\{tunnel="wgnet2",.*\} 1699999988$/m);
  assert.doesNotMatch(
    text,
    /comps_tunnel_up_bytes_total\{tunnel="wgnet1"|seen_by="client"|comps_client_up|NaN|null/,
  );
  const lines = text.split('\n');
  assert.equal(lines.pop(), '');
  let name = '';
  const names = new Set<string>();
  for (const line of lines) {
    const [, word, of = ''] = /^# (HELP|TYPE) (\S+) ./.exec(line) ?? [];
    if (word === 'HELP') {
      assert.ok(!names.has(of), `${of} comes once, in one piece`);
      names.add(of);
      name = of;
    } else if (word === 'TYPE')
      assert.match(line, new RegExp(`^# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}$`));
    else assert.match(line, new RegExp(`^${name}(\\{([a-z_]+="([^"\\\\]|\\\\.)*",?)+\\})? -?[0-9.]+$`));
  }
});

test('metrics that tell of trouble are no failure: a file that is renewed only at 0 would never have them', () => {
  const gone = { end: undefined, drift: undefined, unreachable: new Fault({ what: 'gone' }) };
  for (const [one, code] of [
    [server(0, { drift: ['a: b'] }), 2],
    [server(0, gone), 4],
  ] as const) {
    const status = statusOf({ servers: [one, server(1)] });
    const options = {} as StatusOptions;
    assert.deepEqual(
      [options, { ...options, json: true as const }].map((each) => exitCodeFor(status, each)),
      [code, code],
    );
    assert.equal(exitCodeFor(status, { ...options, prometheus: true }), 0);
    assert.match(prometheusText(status), /^comps_well 0$[\s\S]*^comps_findings [1-9]/m);
  }
});

test('JSON has a null where nothing is known, and nothing is lost on the way', () => {
  const status = statusOf({ servers: [server(0, { drift: ['a: b'] }), server(1, { end: null }), server(2)] });
  const read = JSON.parse(JSON.stringify(status)) as Status;
  assert.deepEqual(read, status);
  assert.deepEqual([read.tunnels[1]?.server.up, read.tunnels[1]?.server.received], [false, null]);
  assert.equal(read.tunnels.filter(({ well }) => !well).length, 1);
});

test('a redraw erases each line’s rest only, and keeps within the screen', () => {
  assert.equal(redrawn(['a', 'b'], 2), '\u001b[Ha\u001b[K\r\nb\u001b[K\u001b[J');
  assert.equal(redrawn(['a', 'b'], 0), redrawn(['a', 'b'], 2), 'a terminal without a size cuts nothing');
  const cut = redrawn(['a', 'b', 'c', 'd'], 3);
  assert.ok(cut.endsWith('b\u001b[K\r\n… 2 more lines\u001b[K\u001b[J'), cut);
});

test('on a terminal that can do nothing, as in a pipe, rounds are lines and no command of a terminal is sent', async () => {
  const shownTo = async (isTTY: boolean, TERM: string): Promise<string> => {
    const pieces: string[] = [];
    const stdout = { isTTY, rows: 0, write: (piece: string) => pieces.push(piece) > 0 };
    const screen = openScreen(stdout as unknown as NodeJS.WriteStream, { TERM });
    screen.show(['a', 'b']);
    await screen.close();
    return pieces.join('');
  };
  assert.equal(await shownTo(true, 'dumb'), 'a\nb\n');
  assert.equal(await shownTo(false, 'xterm'), 'a\nb\n');
  const shown = await shownTo(true, 'xterm');
  assert.ok(shown.startsWith('\u001b[?1049h') && shown.endsWith('\u001b[?1049l'), shown);
});

test('what a watch waits for leaves nothing behind at its stop, round after round', async () => {
  const stop = new AbortController();
  const waiting = (): number => getEventListeners(stop.signal, 'abort').length;
  for (let round = 0; round < 3; round++) {
    let answer = (_: string): void => undefined;
    const told = unless(
      stop.signal,
      new Promise<string>((resolve) => {
        answer = resolve;
      }),
    );
    assert.equal(waiting(), 1);
    answer('well');
    assert.equal(await told, 'well');
    assert.equal(waiting(), 0);
  }
  await assert.rejects(unless(stop.signal, Promise.reject(new Error('failed'))), /failed/);
  const never = unless(stop.signal, new Promise(() => undefined));
  stop.abort();
  assert.equal(await never, undefined);
  assert.equal(await unless(stop.signal, new Promise(() => undefined)), undefined);
  assert.equal(waiting(), 0);
});
