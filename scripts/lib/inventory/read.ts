import { Fault } from '../cli.ts';
import { show } from '../text.ts';
import { readPattern } from './pattern.ts';
import { readAssignment, readValue } from './value.ts';
import { splitWords } from './words.ts';

export interface Variable {
  value: string;
  /** Line of the file, from 1. */
  line: number;
  /** Where it comes from instead of a line of the file: `-e`. */
  from?: string;
}

/** A host or group named on a line. */
export interface Mention {
  name: string;
  line: number;
}

export interface RawHost extends Mention {
  variables: Map<string, Variable>;
}

export interface RawGroup extends Mention {
  /** Hosts on this group's own lines, repeated ones too. */
  mentions: Mention[];
  /** Groups on its `[group:children]` lines. */
  children: Mention[];
  variables: Map<string, Variable>;
  /** First line of `[group]` or `[group:children]`; undefined where only `[group:vars]` stands. */
  declared: number | undefined;
}

export interface RawInventory {
  file: string;
  hosts: Map<string, RawHost>;
  groups: Map<string, RawGroup>;
}

const EXAMPLE = 'one host a line, below [vpn] the proxies, below [comp] the one server; hosts.ini shows how';

const KINDS = ['hosts', 'children', 'vars'];

/** What looks like a header, and is none; `[a:c] k=v` is three hosts. */
const NO_HEADER = /^\[.*\]$|^\[(?!(?:\w|\d+):(?:\w|\d+)(?::\d+)?\])[^\]]*(?:\]\s|$)/;

/** Ends of lines to Python, and to nobody else. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this looks for
const SEPARATOR = /[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]/;

/** What a trimmed line opens where it is a section's header: `[vpn]` is of the kind `hosts`. */
export function headerOf(line: string): { group: string; kind: string } | undefined {
  const match = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line);
  return match === null ? undefined : { group: match[1] as string, kind: match[2] ?? 'hosts' };
}

export const isComment = (line: string): boolean => line.startsWith('#') || line.startsWith(';');

/** The file's lines as groups, hosts and variables, nothing inherited yet. */
export function readLines(text: string, file: string): RawInventory {
  const reader = new Reader(file);
  for (const [i, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries())
    reader.take(line.trim(), i + 1);
  if (reader.empty) throw new Fault({ at: file, what: 'names no host and no group', next: EXAMPLE });
  return reader.raw;
}

const newGroup = (name: string, line: number): RawGroup => ({
  name,
  line,
  mentions: [],
  children: [],
  variables: new Map(),
  declared: undefined,
});

class Reader {
  readonly raw: RawInventory;
  empty = true;
  #group = newGroup('ungrouped', 0);
  #kind = 'hosts';
  #line = 0;

  constructor(file: string) {
    const groups = new Map([
      ['all', { ...newGroup('all', 0), declared: 0 }],
      ['ungrouped', this.#group],
    ]);
    this.#group.declared = 0;
    this.raw = { file, hosts: new Map(), groups };
  }

  take(line: string, number: number): void {
    this.#line = number;
    if (SEPARATOR.test(line))
      this.#refuse('holds a line or page separator, at which Ansible begins another line', {
        next: 'put a plain line end there',
      });
    if (line === '' || isComment(line)) return;
    this.empty = false;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what this looks for
    if (/[\x00-\x08\x0e-\x1f\x7f]/.test(line))
      this.#refuse('holds control characters: a text file was expected');
    const header = headerOf(line);
    if (header !== undefined) this.#section(header.group, header.kind);
    else if (NO_HEADER.test(line))
      this.#refuse(
        'is no section header: [group], [group:vars] or [group:children] alone on its line was expected',
        {
          next: /^\[[\da-f.:]+\]$/i.test(line)
            ? 'write an address without brackets; with a port: [address]:port'
            : 'put a comment on a line of its own, and no spaces between the brackets',
        },
      );
    else if (this.#kind === 'hosts') this.#host(line);
    else if (this.#kind === 'vars') this.#assignment(line);
    else this.#child(line);
  }

  #refuse(what: string, { next = EXAMPLE }: { next?: string } = {}): never {
    throw new Fault({ at: `${this.raw.file}:${this.#line}`, what, next });
  }

  #section(name: string, kind: string): void {
    if (!KINDS.includes(kind))
      this.#refuse(
        `unknown kind of section ${show(kind)}: [${name}], [${name}:vars] or [${name}:children] was expected`,
      );
    const group = this.raw.groups.get(name) ?? newGroup(name, this.#line);
    this.raw.groups.set(name, group);
    if (kind !== 'vars') group.declared ??= this.#line;
    this.#group = group;
    this.#kind = kind;
  }

  #assignment(line: string): void {
    const found = readAssignment(line);
    if (found === undefined) this.#refuse(`key=value was expected in [${this.#group.name}:vars]`);
    this.#group.variables.set(found.key, { value: found.value, line: this.#line });
  }

  #child(line: string): void {
    const name = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line)?.[1];
    if (name === undefined)
      this.#refuse(`the name of one group was expected in [${this.#group.name}:children]`);
    this.#group.children.push({ name, line: this.#line });
  }

  #host(line: string): void {
    const [word = '', ...rest] = this.#attempt(() => splitWords(line));
    if (word === '---' || word.startsWith('{'))
      this.#refuse('this is no INI inventory, but YAML or JSON', { next: EXAMPLE });
    const { names, port } = this.#attempt(() => readPattern(word), `${show(word)} `);
    const variables = new Map(rest.map((text, i) => this.#variable(text, i + 2)));
    for (const name of names) {
      if (name === 'all' || name === 'ungrouped')
        this.#refuse(`names a host ${name}, which is a group that is always there`, {
          next: 'give the host another name, and its address as ansible_host=…',
        });
      const known = this.raw.hosts.get(name);
      const host = known ?? { name, line: this.#line, variables: new Map<string, Variable>() };
      this.raw.hosts.set(name, host);
      if (port !== undefined) this.#port(host, port, known !== undefined);
      const target = variables.size === 0 ? host : this.#owner(host);
      for (const [key, value] of variables) target.variables.set(key, value);
      this.#group.mentions.push({ name, line: this.#line });
    }
  }

  /** Variables on the line of a host that has a group's name go to that group, in Ansible: in the group itself this is no harm. */
  #owner(host: RawHost): RawHost | RawGroup {
    const group = this.raw.groups.get(host.name);
    if (group !== undefined && group !== this.#group)
      this.#refuse(`gives variables to ${host.name}, and Ansible would give them to the group of that name`, {
        next: 'give the host another name, and its address as ansible_host=…',
      });
    return group ?? host;
  }

  /** Ansible takes `host:port` from a host's first line and passes over it silently on others. */
  #port(host: RawHost, port: string, again: boolean): void {
    const set = host.variables.get('ansible_port');
    if (again && set?.value !== port)
      this.#refuse(`gives ${host.name} port ${port}, and line ${host.line} gives another or none`, {
        next: 'write the port on one of the lines only, as ansible_port=…',
      });
    host.variables.set('ansible_port', { value: port, line: this.#line });
  }

  #variable(text: string, position: number): [string, Variable] {
    const at = text.indexOf('=');
    // The word is not repeated: it may be the second half of a password.
    if (at < 1 || !/^[A-Za-z_][\w.-]*$/.test(text.slice(0, at)))
      this.#refuse(`word ${position} is no key=value`, {
        next: 'write key=value without spaces around `=`, quote values with spaces, begin a comment with `#`',
      });
    return [text.slice(0, at), { value: readValue(text.slice(at + 1)), line: this.#line }];
  }

  #attempt<T>(read: () => T, subject = ''): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof RangeError) this.#refuse(subject + error.message);
      throw error;
    }
  }
}
