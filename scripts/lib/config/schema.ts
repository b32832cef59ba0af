/** What each key of config.cfg may hold. A message says what was expected; what was found is put before it. */
import { createRequire } from 'node:module';
import { isIPv4, isIPv6 } from 'node:net';
import type * as Zod from 'zod';
import { MODES, TCPS } from '../../../client/scripts/lib/modes.ts';
import { isPrivateSubnet, LEAST_MTU, MAX_PROXIES, MOST_MTU } from './addresses.ts';
import { type SecretRef, secretRef } from './secret.ts';

// As CommonJS: its hundred ES modules would pass the loader one by one, which every command that reads config.cfg would wait for.
const { z } = createRequire(import.meta.url)('zod') as typeof Zod;

const text = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error, abort: true });

/** A number, or its digits in quotes, as templates of YAML files often have it. */
const number = (fits: (n: number) => boolean, error: string) =>
  z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)], { error }).refine(fits, { error });

const switchError = 'expected true or false';
/** YAML 1.2 has true and false only; files of Ansible's also write yes and no. */
const onOff = z
  .union([z.boolean(), z.string().regex(/^(y|yes|n|no|on|off|true|false)$/i, { error: switchError })], {
    error: switchError,
  })
  .transform((value) => (typeof value === 'boolean' ? value : /^(y|yes|on|true)$/i.test(value)));

const tagError = 'expected a tag: up to 255 letters, digits, `_`, `-` and `:`, such as comps';
/** As DigitalOcean takes tags; capitals make no other tag there. A number is read as its digits. */
const tag = z
  .union([z.string(), z.int().nonnegative().transform(String)], { error: tagError })
  .refine((name) => /^[A-Za-z0-9_:-]{1,255}$/.test(name), { error: tagError });

/** Each once: `Web` and `web` are one tag. */
const tagList = z
  .array(tag, { error: 'expected a list of tags: [research, web]' })
  .nullish()
  .transform((tags) => {
    const same = (tags ?? []).map((name) => name.toLowerCase());
    return (tags ?? []).filter((_, i) => same.indexOf(same[i] ?? '') === i);
  });

/** `$NAME`, or a text of the given form; the message never holds the value. */
function reference(pattern: RegExp, error: string) {
  return z
    .union([z.string(), z.int().transform(String)], { error })
    .transform((value, context): SecretRef => {
      const ref = secretRef(value);
      if (ref !== undefined && ('env' in ref || pattern.test(value))) return ref;
      const template = value.includes('{{') ? '; `{{ … }}` is not evaluated here' : '';
      context.addIssue({ code: 'custom', message: error + template });
      return z.NEVER;
    });
}

const octet = '(?:0|[1-9]\\d{0,2})';
const subnetError = 'expected three numbers from 0 to 255, such as 10.45.0';
const gatewayError = 'expected one address of wireguard_subnet, such as 10.45.0.2/32';
const dnsError = 'expected the IPv4 address of a resolver that your servers can reach, such as 9.9.9.9';
/** No address of this machine itself, of one network only, or of many. */
const reachable = (address: string): boolean =>
  isIPv4(address)
    ? !/^(?:0|127|22[4-9]|2[3-5]\d)\./.test(address)
    : isIPv6(address) && !/%|^(?:[0:]*:[\da-f.:]*$|fe[89ab]|ff)/i.test(address);
const listError = 'expected a list of `- name: …` entries, each with a `region: …`';

const droplet = z.strictObject(
  {
    name: text(
      /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/,
      'expected a name of letters, digits, `.` and `-`, such as wgnet1',
    ),
    region: text(/^[a-z][a-z0-9-]*$/, "expected a region's short name, such as nyc1"),
    size: text(/^[a-z0-9][a-z0-9._-]*$/, "expected a size's short name, such as s-1vcpu-1gb").default(
      's-1vcpu-1gb',
    ),
    image: z
      .union([z.string().regex(/^[a-z0-9][a-z0-9._-]*$/), z.int().positive().transform(String)], {
        error: "expected an image's short name or number, such as ubuntu-24-04-x64",
      })
      .default('ubuntu-24-04-x64'),
    ipv6: onOff.default(false),
    monitoring: onOff.default(false),
    tags: tagList,
  },
  { error: (issue) => (issue.code === 'invalid_type' ? listError : undefined) },
);

/** Missing, empty and `key:` without a value are all a list without entries. */
const droplets = z.array(droplet, { error: listError }).nullish();

export const schema = z.strictObject({
  'host_key-checking': onOff.optional(),
  host_key_checking: onOff.optional(),
  token: reference(/^[\x21-\x7e]+$/, 'expected $DO_TOKEN, or the token itself').optional(),
  ssh_key_id: reference(
    /^(?:\d+|(?:[0-9a-f]{2}:){15}[0-9a-f]{2})$/i,
    "expected $SSH_KEY_ID, or the key's number or MD5 fingerprint (3b:16:…) at DigitalOcean",
  ).optional(),
  tag: tag.default('comps'),
  mode: z.enum(MODES, { error: 'expected wireguard or quic' }).default('wireguard'),
  allow_tcp: z.enum(TCPS, { error: 'expected none or sticky' }).default('none'),
  wait_timeout: number(
    (n) => n > 0 && n <= 86_400,
    'expected seconds: a number above 0 and up to 86400',
  ).default(500),
  wireguard_subnet: text(new RegExp(`^${octet}(?:\\.${octet}){2}$`), subnetError)
    .refine((subnet) => isIPv4(`${subnet}.0`), { error: subnetError, abort: true })
    .refine(isPrivateSubnet, {
      error:
        'expected a private range (10.x.x, 172.16.x to 172.31.x, 192.168.x, 100.64.x to 100.127.x, 198.18.x, 198.19.x); this one belongs to others on the Internet',
    }),
  wireguard_gateway_address: text(/^[\d.]+(?:\/32)?$/, gatewayError).refine(
    (address) => isIPv4(address.replace('/32', '')),
    { error: gatewayError },
  ),
  wireguard_port: number(
    (n) => Number.isInteger(n) && n >= 1 && n <= 65_535,
    'expected a port: a whole number from 1 to 65535',
  ).default(51_820),
  wireguard_mtu: number(
    (n) => Number.isInteger(n) && n >= LEAST_MTU && n <= MOST_MTU,
    `expected bytes: a whole number from ${LEAST_MTU} to ${MOST_MTU}, such as 1420`,
  ).default(1420),
  wireguard_ipv6: onOff.default(false),
  dns: z.string({ error: dnsError }).refine(reachable, { error: dnsError }).default('9.9.9.9'),
  vpns: droplets.refine((list) => (list?.length ?? 0) <= MAX_PROXIES, {
    error: `expected ${MAX_PROXIES} entries or fewer: the network has no addresses for more`,
  }),
  comps: droplets,
  clients: droplets,
});

/** config.cfg as it was read and judged key by key. */
export type Read = Zod.infer<typeof schema>;

export const KEYS = Object.keys(schema.shape);
export const DROPLET_KEYS = Object.keys(droplet.shape);

/** Keys that say how packets travel, and nothing of droplets. */
export const WAY_KEYS: readonly string[] = ['mode', 'allow_tcp', 'wireguard_ipv6', 'dns'];

/** Keys whose values no message may repeat. */
export const PRIVATE_KEYS: readonly string[] = ['token', 'ssh_key_id'];
