/** ssh_config files -> what they say of one host, before tokens are filled in. Runs nothing. */
import { Fault } from '../../cli.ts';
import { globMatches, patternsMatch } from './pattern.ts';
import { type ConfigLine, linesOf } from './words.ts';

/** Whom is asked about. */
export interface Asked {
  /** The host as it is named: what `ssh NAME` gets. */
  host: string;
  /** Who logs in there, where that is settled already. */
  user?: string | undefined;
  /** Who is at work on this machine. */
  localUser: string;
}

/** How included files are found and read. */
export interface Sources {
  /** Text of a file; undefined where there is none. */
  read: (path: string) => string | undefined;
  /** The files that an Include of this file names. */
  included: (pattern: string, from: string) => string[];
  /** Gets a word to the user about something that is passed over. */
  notice: (at: string, what: string) => void;
}

/** By keyword in small letters the line that counts; identityfile has several. */
export type Said = Map<string, ConfigLine[]>;

/** OpenSSH's own bound of Includes in Includes. */
const DEPTH = 16;

const refuse = (at: string, what: string, next: string): never => {
  throw new Fault({ at, what, next });
};

const onBroken = (at: string): never => refuse(at, 'a quote is left open', 'close it on the same line');

class Reading {
  readonly said: Said = new Map();
  /** The name that patterns of Host are held against. */
  host: string;
  final = false;
  wantsFinal = false;

  readonly asked: Asked;
  readonly sources: Sources;

  constructor(asked: Asked, sources: Sources) {
    this.asked = asked;
    this.sources = sources;
    this.host = asked.host;
  }

  word(key: string): string | undefined {
    return this.said.get(key)?.[0]?.words[0];
  }

  /** HostName so far, with its own tokens. */
  hostName(): string {
    const name = this.word('hostname');
    return name === undefined
      ? this.host
      : name.replace(/%[%h]/g, (t) => (t === '%h' ? this.asked.host : '%'));
  }

  put(line: ConfigLine): void {
    const { key } = line;
    // The one that comes first rules the other out.
    const other = { proxyjump: 'proxycommand', proxycommand: 'proxyjump' }[key];
    if (other !== undefined && this.said.has(other)) return;
    const there = this.said.get(key);
    if (there === undefined) this.said.set(key, [line]);
    else if (key === 'identityfile' && !there.some(({ words }) => words[0] === line.words[0]))
      there.push(line);
  }

  /** Whether a criterion of Match holds. */
  holds(name: string, value: string, at: string): boolean {
    const { asked } = this;
    const lists = value.split(',');
    switch (name) {
      case 'host':
        return patternsMatch(lists, this.hostName());
      case 'originalhost':
        return patternsMatch(lists, asked.host);
      case 'user':
        return patternsMatch(lists, asked.user ?? this.word('user') ?? asked.localUser);
      case 'localuser':
        return patternsMatch(lists, asked.localUser);
      case 'exec':
        this.sources.notice(at, 'the command of Match exec is not run, and its lines are passed over');
        return false;
      default:
        this.sources.notice(at, `Match ${name} is not known here, and its lines are passed over`);
        return false;
    }
  }

  matches({ words, at }: ConfigLine): boolean {
    const left = [...words];
    let result = true;
    for (;;) {
      const word = left.shift();
      if (word === undefined) return result;
      const negated = word.startsWith('!');
      const [name = '', glued] = word
        .slice(negated ? 1 : 0)
        .toLowerCase()
        .split('=', 1);
      let holds: boolean;
      if (name === 'all') holds = true;
      else if (name === 'canonical' || name === 'final') {
        this.wantsFinal ||= name === 'final';
        holds = this.final;
      } else {
        const value = glued ?? left.shift();
        if (value === undefined)
          return refuse(at, `Match ${name} lacks its pattern`, 'write it behind the word');
        // What cannot match any more asks nothing.
        holds = result && this.holds(name, value, at);
        if (!result) continue;
        if (name === 'exec') return false;
      }
      if (holds === negated) result = false;
    }
  }

  file(path: string, depth: number): void {
    const text = this.sources.read(path);
    if (text === undefined) return;
    let active = true;
    for (const line of linesOf(text, path, onBroken)) {
      if (line.key === 'host') active = patternsMatch(line.words, this.host);
      else if (line.key === 'match') active = this.matches(line);
      else if (!active) continue;
      else if (line.key === 'include') {
        if (depth >= DEPTH) refuse(line.at, 'too many Includes in one another', 'take this one out');
        const files = line.words.flatMap((word) => this.sources.included(word, path));
        for (const file of files) this.file(file, depth + 1);
      } else if (line.words.length > 0) this.put(line);
    }
  }
}

/** What these files, the first of which counts most, say of a host. */
export function evaluate(files: readonly string[], asked: Asked, sources: Sources): Said {
  const reading = new Reading(asked, sources);
  for (const file of files) reading.file(file, 0);
  if (reading.wantsFinal) {
    reading.final = true;
    reading.host = reading.hostName();
    for (const file of files) reading.file(file, 0);
  }
  return reading.said;
}

/** Files of a folder tree that a pattern with `*` and `?` in any of its parts names, sorted; itself where it has none. */
export function filesOf(pattern: string, list: (folder: string) => string[]): string[] {
  if (!/[*?]/.test(pattern)) return [pattern];
  const [, ...parts] = pattern.split('/');
  return parts.reduce<string[]>(
    (folders, part) =>
      /[*?]/.test(part)
        ? folders.flatMap((folder) =>
            list(folder === '' ? '/' : folder)
              .filter((name) => globMatches(part, name) && (part.startsWith('.') || !name.startsWith('.')))
              .map((name) => `${folder}/${name}`),
          )
        : folders.map((folder) => `${folder}/${part}`),
    [''],
  );
}
