/** Ways through other machines: `user@bastion:2222,next`, and the ProxyCommands that mean the same. */
import { Fault } from '../../cli.ts';
import { splitWords } from './words.ts';

export interface JumpSpec {
  host: string;
  user?: string;
  port?: number;
}

const ONE =
  /^(?:ssh:\/\/)?(?:(?<user>[^@,]+)@)?(?:\[(?<six>[^\]]+)\]|(?<host>[^@:,/\s]+))(?::(?<port>\d{1,5}))?\/?$/;

/** The hops, the nearest first; none for `none`. */
export function jumpSpecs(text: string, at: string): JumpSpec[] {
  if (text.toLowerCase() === 'none') return [];
  return text.split(',').map((one) => {
    const { user, six, host, port } = ONE.exec(one.trim())?.groups ?? {};
    const name = six ?? host;
    if (name === undefined || Number(port ?? 22) > 65_535 || Number(port ?? 22) === 0)
      throw new Fault({
        at,
        what: `ProxyJump ${text}: ${one.trim() || 'nothing'} is no host`,
        next: 'write it as user@bastion.example.org:22, several with commas',
      });
    return { host: name, ...(user && { user }), ...(port && { port: Number(port) }) };
  });
}

/** Flags of ssh without a value that change nothing about the way. */
const HARMLESS = /^-[qxaTvn46]+$/;

/**
 * What a ProxyCommand says as a ProxyJump: `ssh -W %h:%p [-p N] [-l USER] [USER@]BASTION`. Undefined for any other
 * command.
 */
export function jumpOfCommand(command: string): string | undefined {
  const [program = '', ...words] = splitWords(command.replace(/^exec\s+/, '')) ?? [];
  if (!/^(?:.*\/)?ssh$/.test(program)) return undefined;
  let [host, user, port, forwards] = ['', '', '', false];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const [, flag, glued] = /^-([Wpl])(.*)$/.exec(word) ?? [];
    if (flag !== undefined) {
      const value = glued || (words[++i] ?? '');
      if (flag === 'W') forwards = /^(?:%h|\[%h\]):%p$/.test(value);
      else if (flag === 'p') port = value;
      else user = value;
    } else if (word.startsWith('-')) {
      if (!HARMLESS.test(word)) return undefined;
    } else if (host === '') host = word;
    else return undefined;
  }
  if (!forwards || host === '') return undefined;
  const [, own, name = ''] = /^(?:(.*)@)?(.*)$/.exec(host) ?? [];
  const who = own ?? user;
  const where = name.includes(':') && !name.startsWith('[') ? `[${name}]` : name;
  return `${who ? `${who}@` : ''}${where}${port ? `:${port}` : ''}`;
}
