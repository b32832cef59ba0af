/** config.cfg text -> Config: the original's YAML variables file; every problem with line and key. */
import type { z } from 'zod';
import type { Mode, Tcp } from '../../client/scripts/lib/modes.ts';
import { Fault } from './cli.ts';
import { bare, contradictions, nameOf, type Problem } from './config/contradictions.ts';
import { DROPLET_KEYS, KEYS, PRIVATE_KEYS, type Read, schema, WAY_KEYS } from './config/schema.ts';
import type { SecretRef } from './config/secret.ts';
import { readYaml } from './config/yaml.ts';
import { nearest, show } from './text.ts';

export { MODES, type Mode, TCPS, type Tcp } from '../../client/scripts/lib/modes.ts';
export { clientAddress, compClientAddress, MAX_PROXIES, twinNetwork, twinOf } from './config/addresses.ts';
export { Secret, type SecretRef, secretOf } from './config/secret.ts';

/** One machine that provisioning is to create. */
export interface Droplet {
  name: string;
  /** DigitalOcean's short name, such as `nyc1`; so are size and image. */
  region: string;
  size: string;
  image: string;
  /** Both are off unless asked for. */
  ipv6: boolean;
  monitoring: boolean;
  /** Tags beside the project's own; the same tag in other capitals is there once. */
  tags: string[];
}

export interface Config {
  /** DigitalOcean's token and SSH key (number or fingerprint); only provisioning needs them. */
  token?: SecretRef;
  sshKeyId?: SecretRef;
  /** The tag that every droplet of this project has, and no other droplet; capitals make no other tag there. */
  tag: string;
  mode: Mode;
  /** What becomes of TCP; `sticky` only in mode quic. */
  allowTcp: Tcp;
  /** Seconds to wait for a machine to come up. */
  waitTimeout: number;
  /** The first three numbers of the tunnels' IPv4 addresses: `10.45.0`. */
  wireguardSubnet: string;
  /** The servers' own address inside the tunnels: `10.45.0.2/32`. */
  wireguardGatewayAddress: string;
  /** UDP port of WireGuard on every server. */
  wireguardPort: number;
  /** Bytes of the largest packet in a wgnet, on both of its ends; wg0 has a hop less. */
  wireguardMtu: number;
  /** Whether wg0 carries IPv6; otherwise the client's IPv6 is closed. */
  wireguardIpv6: boolean;
  /** Address of the resolver that the client asks through the tunnels; IPv6 only where wg0 carries that. */
  dns: string;
  /** Only for provisioning; set-up reads its servers from hosts.ini. */
  vpns: Droplet[];
  comps: Droplet[];
}

/** Every key that config.cfg may have. */
export const CONFIG_KEYS: readonly string[] = KEYS;

/** The variables of a YAML or JSON file that `-e @FILE` names. */
export const parseVariables = (text: string, file: string): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(readYaml(text, file).value));

/**
 * How much of config.cfg a command needs to be right. `network`: all of it, to set servers up or to write client files.
 * `droplets`: each key, but not how packets travel (mode, TCP, IPv6, resolver) as a whole, since another command's flags may
 * be needed to make that fit. `account`: what finds droplets; how packets travel is not read at all, and has its defaults,
 * as nothing that costs money may stay for it.
 */
export type Needed = 'network' | 'droplets' | 'account';

/**
 * Reads config.cfg; one Fault holds all its problems, one a line. `file` is the name for messages. What the command line
 * sets (`extra`) stands in the place of the file's own; a key of it comes from the flag in `flags`, else from `-e`.
 */
export function parseConfig(
  text: string,
  file: string,
  extra: ReadonlyMap<string, unknown> = new Map(),
  flags: ReadonlyMap<string, string> = new Map(),
  needed: Needed = 'network',
): { config: Config; notices: string[] } {
  const { value, lineOf } = readYaml(text, file);
  for (const [key, set] of extra) value[key] = set;
  const notices = noticesOf(value).map(({ path, what }) => `${file}:${lineOf(path)}: ${what}`);
  // A list that the original's playbook never read is not judged either.
  if (hasComps(value)) delete value.clients;
  if (needed === 'account') for (const key of WAY_KEYS) delete value[key];

  const result = schema.safeParse(value);
  const problems = result.success
    ? contradictions(result.data, needed === 'network')
    : result.error.issues.flatMap(problemsOf(value));
  const flagOf = (key: string): string | undefined =>
    flags.get(key) ?? (extra.has(key) ? '--extra-vars' : undefined);
  if (problems.length > 0) throw faultOf(problems, file, lineOf, flagOf);
  return { config: configOf(result.data as Read), notices };
}

function configOf(read: Read): Config {
  return {
    ...(read.token && { token: read.token }),
    ...(read.ssh_key_id && { sshKeyId: read.ssh_key_id }),
    tag: read.tag,
    mode: read.mode,
    allowTcp: read.allow_tcp,
    waitTimeout: read.wait_timeout,
    wireguardSubnet: read.wireguard_subnet,
    wireguardGatewayAddress: `${bare(read.wireguard_gateway_address)}/32`,
    wireguardPort: read.wireguard_port,
    wireguardMtu: read.wireguard_mtu,
    wireguardIpv6: read.wireguard_ipv6,
    dns: read.dns,
    vpns: read.vpns ?? [],
    comps: read.comps ?? read.clients ?? [],
  };
}

/** `comps:` with nothing behind it counts as missing. */
const hasComps = ({ comps }: Record<string, unknown>): boolean => comps !== undefined && comps !== null;

function noticesOf(value: Record<string, unknown>): Problem[] {
  const notices = ['host_key-checking', 'host_key_checking']
    .filter((key) => key in value)
    .map((key) => ({ path: [key], what: `${key} is ignored: host keys are always checked` }));
  if ('clients' in value) {
    const what = hasComps(value)
      ? 'clients is ignored: the comps list stands beside it'
      : 'clients is read as comps, the name that this list has elsewhere';
    notices.push({ path: ['clients'], what });
  }
  return notices;
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], value);

const problemsOf =
  (value: unknown) =>
  (issue: z.core.$ZodIssue): Problem[] => {
    const { path } = issue;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], what: unknownKey(key, path) }));
    const found = valueAt(value, path);
    const secret = PRIVATE_KEYS.includes(String(path[0])) && found !== undefined && found !== null;
    const is = secret ? 'cannot be used (not shown here)' : `is ${show(found)}`;
    const absent = path.length === 1 && found === undefined;
    return [{ path, what: `${nameOf(path)} ${is}: ${issue.message}`, absent }];
  };

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = path.length === 0 ? KEYS : DROPLET_KEYS;
  const meant = nearest(key, known);
  const place = path.length === 0 ? '' : ` in ${nameOf(path)}`;
  const hint = meant === undefined ? '' : `did you mean ${meant}? `;
  return `unknown key ${show(key)}${place}: ${hint}Known keys: ${known.join(', ')}`;
}

/** One Fault for all problems, in the order of the file; keys that are not there come last, without a line. */
function faultOf(
  problems: Problem[],
  file: string,
  lineOf: (path: readonly PropertyKey[]) => number,
  flagOf: (key: string) => string | undefined,
): Fault {
  const last = Number.POSITIVE_INFINITY;
  const [first, ...rest] = problems
    .map(({ path, what, absent }) => {
      const flag = flagOf(String(path[0]));
      const line = absent || flag !== undefined ? last : lineOf(path);
      return { line, what, at: flag ?? (line === last ? file : `${file}:${line}`) };
    })
    .sort((a, b) => (a.line === b.line ? 0 : a.line - b.line));
  return new Fault({
    at: first?.at ?? file,
    what: [first?.what, ...rest.map(({ at, what }) => `       ${at}: ${what}`)].join('\n'),
    next: `correct ${first?.at.replace(/:\d+$/, '') ?? file}; config.cfg.example shows every key`,
  });
}
