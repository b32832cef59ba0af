import type { Inventory } from './inherit.ts';
import type { Variable } from './read.ts';

/** The inventory with variables that `-e` sets: they beat everything of every host, whatever line it stands in. */
export function withExtraVars(inventory: Inventory, vars: ReadonlyMap<string, string>): Inventory {
  if (vars.size === 0) return inventory;
  const extra = [...vars].map(([key, value]): [string, Variable] => [
    key,
    { value, line: 0, from: `--extra-vars ${key}` },
  ]);
  const hosts = new Map(
    [...inventory.hosts].map(([name, host]) => [
      name,
      { ...host, variables: new Map([...host.variables, ...extra]) },
    ]),
  );
  return { ...inventory, hosts };
}
