import type { Document, Node } from 'yaml';
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { Fault } from '../cli.ts';

export interface YamlFile {
  value: Record<string, unknown>;
  /** Line (from 1) of the deepest part of a path that the file has. */
  lineOf(path: readonly PropertyKey[]): number;
}

const NEXT = 'compare it with config.cfg.example: one `key: value` a line, lists indented by spaces';

const TAB = 'a tab stands where spaces are expected: YAML is indented by spaces only';

/** Own words for the parser's errors: its own ones may repeat a part of the file, and so a token. */
const WORDS: Record<string, string> = {
  TAB_AS_INDENT: TAB,
  MULTIPLE_DOCS:
    'a second document begins here: one set of `key: value` lines was expected, without `---` in it',
  MISSING_CHAR: 'something is missing here: a closing quote, a bracket, or the `:` after a key',
  MULTILINE_IMPLICIT_KEY:
    'no `key: value` line: the `: ` after the key is missing, or the line is indented wrongly',
  BLOCK_AS_IMPLICIT_KEY:
    'this line is indented otherwise than its neighbours, or holds a second `: `; a value with `: ` in it needs quotes',
  BAD_INDENT: 'wrong indentation, or a bracket or quote is not closed',
  BAD_SCALAR_START: 'a value that begins with this character needs quotes',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape; use single quotes',
};

/** Reads YAML 1.2 (with `<<` merges) whose top is a set of keys; every Fault has the line. */
export function readYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false,
    stringKeys: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const refuse = (offset: number, what: string, next = NEXT): never => {
    throw new Fault({ at: `${file}:${Math.max(1, lines.linePos(offset).line)}`, what, next });
  };

  const [error] = doc.errors;
  if (error !== undefined) {
    const tab = /^ *\t[ \t]*[^\s#]/m.exec(text);
    if (tab !== null && tab.index <= error.pos[0]) refuse(tab.index + tab[0].indexOf('\t'), TAB);
    refuse(error.pos[0], WORDS[error.code] ?? 'this is not YAML: one `key: value` a line was expected');
  }
  if (doc.contents === null || (isScalar(doc.contents) && doc.contents.value === null))
    throw new Fault({
      at: file,
      what: 'this file is empty: `key: value` lines were expected',
      next: `cp config.cfg.example ${file}, then edit it`,
    });
  if (!isMap(doc.contents))
    refuse(
      start(doc.contents),
      `${isSeq(doc.contents) ? 'a list' : 'a bare text'} stands here: \`key: value\` lines were expected`,
    );

  visit(doc, {
    Node(_, node) {
      const tag = isAlias(node) ? undefined : node.tag;
      if (tag !== undefined)
        refuse(start(node), 'tags (`!…`) are not read: a plain value was expected', 'write the value alone');
      if (isAlias(node) && node.resolve(doc) === undefined)
        refuse(
          start(node),
          'a value that begins with `*` is an alias, and no anchor has that name; quote it',
        );
    },
    Map(_, map) {
      const seen = new Map<string, number>();
      for (const { key } of map.items) {
        const offset = isNode(key) ? start(key) : start(map);
        if (!isScalar(key) || (typeof key.value !== 'string' && typeof key.value !== 'symbol'))
          return refuse(offset, 'a key must be a plain name; `{{ … }}` is not evaluated here');
        const name = String(key.source ?? key.value);
        const first = seen.get(name);
        if (first !== undefined)
          refuse(offset, `this key is there twice, first in line ${first}`, 'delete one of the two lines');
        seen.set(name, lines.linePos(offset).line);
      }
      return undefined;
    },
  });

  return { value: toValue(doc, file), lineOf: (path) => lines.linePos(offsetOf(doc, path)).line };
}

const start = (node: Node | null): number => node?.range?.[0] ?? 0;

function toValue(doc: Document.Parsed, file: string): Record<string, unknown> {
  try {
    return doc.toJS({ maxAliasCount: 100 }) as Record<string, unknown>;
  } catch {
    throw new Fault({
      at: file,
      what: 'its aliases (`*name`) repeat too much, or refer to themselves',
      next: NEXT,
    });
  }
}

function offsetOf(doc: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: unknown = doc.contents;
  let offset = start(doc.contents);
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      offset = start(pair.key as Node);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (isNode(node)) offset = start(node);
    } else break;
  }
  return offset;
}
