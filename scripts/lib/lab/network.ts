/** Builds the lab's network, all at once or one cable at a time. */
import { attempt, run } from '../transport/local.ts';
import { cableLine, deviceLines, portLines, routerLines, sysctlsOf } from './network-plan.ts';
import { nameOf, type Place, roleIn } from './place.ts';
import type { Role } from './roles.ts';

const batch = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Runs `ip` lines, in a namespace if one is given; the first that fails is a Fault. */
async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  const words = namespace === undefined ? ['ip'] : ['ip', '-n', namespace];
  await run([...words, '-batch', '-'], { input: batch(lines) });
}

/** Creates the namespaces of these roles and connects them; a router that is to be made comes first. `ipv6`: the lab has it. */
export async function buildNetwork(
  place: Place,
  roles: readonly Role[],
  { ipv6 = false }: { ipv6?: boolean | undefined } = {},
): Promise<void> {
  const router = nameOf(place, 'net');
  const others = roles.filter((role) => role !== 'net');
  await ip(roles.map((role) => `netns add ${nameOf(place, role)}`));
  // Before any interface exists: new ones copy the namespace's defaults.
  await Promise.all(
    roles.map((role) =>
      run(['ip', 'netns', 'exec', nameOf(place, role), 'sysctl', '-q', '-w', ...sysctlsOf(role, ipv6)]),
    ),
  );
  if (roles.includes('net')) await ip(routerLines(ipv6), router);
  await ip(others.map((role) => cableLine(place, role)));
  await ip(others.flatMap(portLines), router);
  await Promise.all(others.map((role) => ip(deviceLines(role, ipv6), nameOf(place, role))));
}

/** The lab's namespaces that exist, by role. */
export async function namespacesOf(place: Place): Promise<Role[]> {
  const names = (await run(['ip', 'netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  return names.map((name) => roleIn(place, name)).filter((role) => role !== undefined);
}

/** Process ids in a namespace. */
export async function pidsIn(place: Place, role: Role): Promise<number[]> {
  const { stdout } = await attempt(['ip', 'netns', 'pids', nameOf(place, role)]);
  return stdout.split('\n').filter(Boolean).map(Number);
}

/** Takes namespaces away, with the cables that end in them. */
export async function removeNamespaces(place: Place, roles: readonly Role[]): Promise<void> {
  if (roles.length > 0) await ip(roles.map((role) => `netns del ${nameOf(place, role)}`));
}

/** Pulls a role's cable out of the router. */
export async function unplug(place: Place, role: Role): Promise<void> {
  await attempt(['ip', '-n', nameOf(place, 'net'), 'link', 'delete', role]);
}

/** The namespace of any lab that this process runs in; undefined outside. */
export async function labNamespaceHere(): Promise<string | undefined> {
  const { stdout } = await attempt(['ip', 'netns', 'identify']);
  return stdout.split('\n').find((name) => name.startsWith('comps-'));
}
