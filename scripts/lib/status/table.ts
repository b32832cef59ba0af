/** The status for people: a row a tunnel, then what is wrong, each with what to type next. Pure. */
import { paint } from '../cli.ts';
import type { Kind, Status, TunnelStatus } from './status.ts';

/** Bytes in words of 7 characters at most: `1.2 MB`, `12.3 GB`, `123 kB`. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return '-';
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, power] = [bytes, 0];
  // By the figures that are shown: 999.96 kB would be 1000.0 of them.
  while (value >= (power === 0 ? 1000 : 999.5) && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${power === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** Seconds in words of 6 characters at most: `12 s`, `59 min`, `47 h`, `365 d`; `never` is for who calls. */
export function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

const WORDS: Record<Kind, string> = {
  unreachable: 'unreachable',
  failed: 'failed',
  drift: 'drift',
  missing: 'missing',
  keys: 'keys differ',
  files: 'files',
  stale: 'stale',
  'no path': 'no path',
  mode: 'mode',
  'no client': 'no client',
};

/** The gravest trouble of a tunnel in a word or two, and how many kinds there are beside it. */
function stateText(tunnel: TunnelStatus, { troubles }: Status): string {
  const kinds = new Set(troubles.filter((one) => one.tunnel === tunnel.interface).map(({ kind }) => kind));
  const [first, ...rest] = kinds;
  if (first === undefined) return 'ok';
  const count = first === 'drift' ? ` ${tunnel.drift.count}` : '';
  return `${WORDS[first]}${count}${rest.length === 0 ? '' : ` +${rest.length}`}`;
}

const age = ({ handshakeAge, client, server }: TunnelStatus): string => {
  if (handshakeAge !== null) return ageText(handshakeAge);
  return client.up || server.up ? 'never' : '-';
};

/** `198.51.100.11:51820`, or with the name before it where that says something else. */
const whole = ({ server: { name, endpoint } }: TunnelStatus): string =>
  endpoint.includes(name) ? endpoint : `${name} ${endpoint}`;

interface Column {
  head: [string, string];
  right?: true;
  cell: (tunnel: TunnelStatus) => string;
}

const bytes = (above: string, head: string, pick: (tunnel: TunnelStatus) => number | null): Column => ({
  head: [above, head],
  right: true,
  cell: (tunnel) => bytesText(pick(tunnel)),
});

const BYTES = {
  clientUp: bytes('up:', 'client', ({ client }) => client.sent),
  serverUp: bytes('', 'server', ({ server }) => server.received),
  clientDown: bytes('down:', 'client', ({ client }) => client.received),
  serverDown: bytes('', 'server', ({ server }) => server.sent),
};

/** Longest name of a server where there is little room. */
const NAME = 24;
const cut = (text: string): string => (text.length <= NAME ? text : `${text.slice(0, NAME - 1)}…`);

/** From the widest to the narrowest; `below`: endpoints have a line of their own. */
function layouts(status: Status): { columns: Column[]; below: boolean }[] {
  const server = (cell: Column['cell']): Column => ({ head: ['', 'server'], cell });
  const frame = (name: Column, more: Column[]): Column[] => [
    {
      head: ['', '  tunnel'],
      cell: ({ current, interface: name }) => `${current ? '▸' : ' '} ${name}`,
    },
    name,
    { head: ['last', 'handshake'], right: true, cell: age },
    ...more,
    { head: ['', 'state'], cell: (tunnel) => stateText(tunnel, status) },
  ];
  const { clientUp, serverUp, clientDown, serverDown } = BYTES;
  const all = [clientUp, serverUp, clientDown, serverDown];
  const byName = server((tunnel) => cut(tunnel.server.name));
  return [
    { columns: frame(server(whole), all), below: false },
    { columns: frame(byName, all), below: true },
    { columns: frame(byName, [clientUp, clientDown]), below: true },
    { columns: frame(byName, []), below: true },
  ];
}

const GAP = ' ';

/** Rows of equal width, the two heads first. */
function rowsOf(columns: readonly Column[], tunnels: readonly TunnelStatus[]): string[] {
  const cells = columns.map(({ head, cell, right }) => {
    const texts = [...head, ...tunnels.map(cell)];
    const width = Math.max(...texts.map((text) => text.length));
    return texts.map((text) => (right ? text.padStart(width + 1) : text.padEnd(width)));
  });
  const count = tunnels.length + 2;
  return Array.from({ length: count }, (_, i) =>
    cells
      .map((column) => column[i])
      .join(GAP)
      .trimEnd(),
  );
}

/** The narrowest there is where none fits. */
function fitting(status: Status, width: number): { rows: string[]; below: boolean } {
  const tried = layouts(status).map(({ columns, below }) => ({
    rows: rowsOf(columns, status.tunnels),
    below,
  }));
  const fits = tried.find(({ rows }) => Math.max(...rows.map((row) => row.length)) <= width);
  return fits ?? (tried.at(-1) as { rows: string[]; below: boolean });
}

const MIGRATION = { none: 'no migration', time: 'migrating by the clock', packet: 'split by packet' };

function clientLine({ client }: Status): string {
  if (client.where === null) return 'client: left out';
  if (!client.answers) return `client: ${client.reason}`;
  const path = client.path === null ? 'no path' : `path ${client.path}`;
  const mode = client.mode === 'quic' ? ', mode quic' : '';
  return `client: ${client.where}${mode}, ${path}, ${MIGRATION[client.migration ?? 'none']}`;
}

/** A text on lines of `room` characters, broken between words; a word that is longer stays whole. */
function broken(text: string, room: number): string[] {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1) as string;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `19:20:31`, as clocks here have it. */
const clock = (time: number): string => new Date(time * 1000).toTimeString().slice(0, 8);

const indent = (text: string): string => text.replaceAll('\n', '\n      ');

/** What is wrong, each once with its next step. */
function troubleLines({ troubles, tunnels }: Status): string[] {
  return troubles.flatMap(({ kind, tunnel, what, next }, i) => {
    const name = tunnels.find((one) => one.interface === tunnel)?.server.name;
    const at = tunnel === null ? '' : ` [${tunnel} ${name}]`;
    // Several in a row with one remedy have it once, behind the last.
    const again = troubles[i + 1]?.next === next;
    return [
      `${paint.red(`${WORDS[kind]}:`)}${at} ${indent(what)}`,
      ...(next === null || again ? [] : [`      next: ${next}`]),
    ];
  });
}

function lastLine({ well, tunnels, troubles }: Status): string {
  if (well) return paint.green('all is well');
  const bad = tunnels.filter((one) => !one.well).length;
  const which = bad === 0 ? 'not all is well' : `not well: ${bad} of ${tunnels.length} tunnels`;
  return paint.red(`${which}, ${troubles.length} ${troubles.length === 1 ? 'finding' : 'findings'}`);
}

/** The lines of a table no wider than `width` characters, where that can be; messages are as long as they are. */
export function tableLines(status: Status, width: number): string[] {
  const { rows, below } = fitting(status, width);
  const [above = '', head = '', ...body] = rows;
  const lines = body.flatMap((row, i) => {
    const tunnel = status.tunnels[i];
    if (tunnel === undefined) return [];
    const coloured = tunnel.well ? row : paint.red(row);
    return [coloured, ...(below ? [paint.dim(`    ${tunnel.server.endpoint}`)] : [])];
  });
  const notices = status.notices.map(
    ({ server, what }) => `${paint.cyan('notice:')} [${server}] ${indent(what)}`,
  );
  const time = `${clock(status.time)}  `;
  const [first, ...more] = broken(clientLine(status), width - time.length);
  return [
    `${paint.dim(time)}${first}`,
    ...more.map((line) => `${' '.repeat(time.length)}${line}`),
    '',
    ...[above, head].filter((line) => line !== '').map((line) => paint.dim(line)),
    ...lines,
    '',
    ...notices,
    ...troubleLines(status),
    lastLine(status),
  ];
}
