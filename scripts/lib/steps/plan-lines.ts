/** The plan of a provisioning, and what came of it, as lines for a person. */
import { EXIT, type Fault, paint } from '../cli.ts';
import type { Size } from '../digitalocean/api.ts';
import type { Plan } from '../digitalocean/plan.ts';
import { dollars, priceOf } from '../digitalocean/price.ts';
import { print } from '../progress.ts';
import { countLines } from '../runner/report.ts';
import type { Survey } from './surveying.ts';

/** Cells, a row a line, each column as wide as its widest. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}

const perTime = (slugs: readonly string[], sizes: readonly Size[]): string => {
  const { hourly, monthly } = priceOf(slugs, sizes);
  return `${dollars(hourly)} an hour, ${dollars(monthly)} a month`;
};

/** What is made and what is kept, with prices, and what both cost together. */
export function planLines(
  { create, adopt, strays, notices }: Plan,
  sizes: readonly Size[],
  tag: string,
  idle: ReadonlySet<string> = new Set(),
): string[] {
  const rows = [
    ...create.map(({ name, region, size, image }) => [
      'create',
      name,
      region,
      size,
      image,
      perTime([size], sizes),
    ]),
    ...adopt.map(({ droplet: { id, name, region, size, image } }) => [
      'keep',
      name,
      region,
      size,
      image,
      `${perTime([size], sizes)} (droplet ${id})`,
    ]),
  ];
  const all = [...create.map(({ size }) => size), ...adopt.map(({ droplet }) => droplet.size)];
  return [
    paint.bold(`PLAN (tag ${tag})`),
    ...table(rows),
    `  ${create.length} to create, ${adopt.length} to keep: ${perTime(all, sizes)}`,
    ...[...notices, ...strays.map((droplet) => strayLine(droplet, idle))].map(
      (line) => `${paint.cyan('notice:')} ${line}`,
    ),
  ];
}

/** `idle`: names in config.cfg that its mode has no use for. */
function strayLine({ id, name, region }: Plan['strays'][number], idle: ReadonlySet<string>): string {
  const why = idle.has(name) ? 'has no part in mode quic, is left alone' : 'is not in config.cfg';
  return `the droplet ${name} in ${region} (${id}) ${why}, and costs money: npx zx scripts/teardown.ts --limit ${name}`;
}

export function troubleLines(name: string, { code, message, next }: Fault): string[] {
  const kind = code === EXIT.unreachable ? 'unreachable' : 'failed';
  return [
    `${paint.red(`${kind}:`)} [${name}] ${message.replaceAll('\n', '\n      ')}`,
    ...(next === undefined ? [] : [`      next: ${next}`]),
  ];
}

/** What came of each droplet that was wanted. */
export function recap({ wanted, plan }: Survey, faults: ReadonlyMap<string, Fault>): void {
  print(`\n${paint.bold('RECAP')}`);
  const created = new Set(plan.create.map(({ name }) => name));
  const rows = wanted.map(({ name }) => {
    const fault = faults.get(name);
    const unreachable = fault?.code === EXIT.unreachable;
    return {
      name,
      counts: {
        ok: fault === undefined ? 1 : 0,
        changed: fault === undefined && created.has(name) ? 1 : 0,
        unreachable: unreachable ? 1 : 0,
        failed: fault !== undefined && !unreachable ? 1 : 0,
      },
    };
  });
  for (const line of countLines(rows)) print(line);
}
