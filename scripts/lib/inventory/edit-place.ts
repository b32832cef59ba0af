/** Where a new host's line goes. */

import { isRowOf, type Row } from './edit-rows.ts';
import { readPattern } from './pattern.ts';
import { headerOf } from './read.ts';
import { splitWords } from './words.ts';

/** What a comment says, without its sign. */
const said = ({ text }: Row): string => text.trim().replace(/^[#;]+\s*/, '');

/** A host line that is commented out, such as `# nyc ansible_host=192.0.2.13`. */
function isExample(row: Row): boolean {
  try {
    const [name = '', ...rest] = splitWords(said(row));
    return readPattern(name).names.length > 0 && rest.every((word) => /^[A-Za-z_]\w*=/.test(word));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The row behind a section's last one. */
function nextHeader(rows: readonly Row[], header: number): number {
  const next = rows.findIndex(({ kind }, i) => i > header && kind === 'header');
  return next === -1 ? rows.length : next;
}

/**
 * The end of a section's hosts: behind the last one, or behind the examples that are commented out. The blank lines
 * before the next section, and the comment right above its header, stay where they are.
 */
function endOf(rows: readonly Row[], header: number): number {
  const next = nextHeader(rows, header);
  let stop = next;
  while (next < rows.length && rows[stop - 1]?.kind === 'comment') stop--;
  // A section of nothing but comments: they are its own.
  if (stop === header + 1) stop = next;

  let last = header;
  let own = true;
  const isOwn = (row: Row | undefined): boolean =>
    row?.kind === 'comment' && headerOf(said(row)) === undefined;
  for (const [i, row] of rows.slice(0, stop).entries()) {
    if (i <= header) continue;
    // Behind a header that is commented out, so are its examples.
    if (row.kind === 'comment' && !isOwn(row)) own = false;
    if (row.kind === 'host' || (own && row.kind === 'comment' && isExample(row))) last = i;
  }
  while (last + 1 < stop && isOwn(rows[last + 1])) last++;
  return last + 1;
}

/** The header of the group's section of hosts: the first that has some, else the first; -1 where there is none. */
function sectionOf(rows: readonly Row[], group: string): number {
  const headers = rows.flatMap((row, i) => (row.kind === 'header' && row.group === group ? [i] : []));
  const full = headers.find((i) => rows.slice(i, nextHeader(rows, i)).some(({ kind }) => kind === 'host'));
  return full ?? headers[0] ?? -1;
}

/**
 * Where a host's line goes in a group: behind the nearest host before it in `order` that stands there, else before the
 * nearest after it, else at the section's end; undefined where the group has no section.
 */
function spotOf(rows: readonly Row[], group: string, order: readonly string[], name: string) {
  const own = order.indexOf(name);
  const there = (names: readonly string[]): number | undefined =>
    names
      .map((other) => rows.findIndex((row) => row.group === group && isRowOf(row, other)))
      .find((i) => i !== -1);
  const before = there(order.slice(0, own).reverse());
  if (before !== undefined) return before + 1;
  const behind = there(order.slice(own + 1));
  if (behind !== undefined) return behind;
  const header = sectionOf(rows, group);
  return header === -1 ? undefined : endOf(rows, header);
}

/** Puts a host's line into its group, with a section at the file's end where there is none; it ends as its neighbours do. */
export function place(
  rows: Row[],
  group: string,
  order: readonly string[],
  name: string,
  text: string,
): void {
  const spot = spotOf(rows, group, order, name);
  const at = spot ?? rows.length;
  const above = rows[at - 1];
  const end = above?.end || rows.find((row) => row.end !== '')?.end || '\n';
  if (above !== undefined) above.end ||= end;
  const row = (kind: Row['kind'], line: string, names: string[]): Row => ({
    text: line,
    end,
    kind,
    group,
    names,
    added: true,
  });
  const gap = above === undefined || above.kind === 'blank' ? [] : [row('blank', '', [])];
  const section = spot === undefined ? [...gap, row('header', `[${group}]`, [])] : [];
  rows.splice(at, 0, ...section, row('host', text, [name]));
}
