/** What surrounds a set-up: its log, and with `--json` its document. */
import { EXIT, Fault, paint, userArguments } from '../cli.ts';
import { hearLines, print, printAside } from '../progress.ts';
import { logFile, openLog, type RunLog } from '../runner/log.ts';
import { quoteAll } from '../shell.ts';
import { emptyDocument, type RunDocument, troubleOf } from './set-up-json.ts';

export interface Run {
  log: RunLog;
  document: RunDocument;
}

/** A run without log and document. */
export const bareRun = (): Run => ({ log: openLog(undefined, () => {}), document: emptyDocument('') });

/** The command line without the values of variables, which may be secret. */
export const flagsOf = (words: readonly string[]): string =>
  quoteAll(
    words.map((word, i) => {
      if (/^(?:-e|--extra-vars)$/.test(words[i - 1] ?? '')) return '(hidden)';
      return word.replace(/^(-e|--extra-vars=).+$/, '$1(hidden)');
    }),
  );

/** The work of a command, logged from when it begins; where it does not end well, the log's name is said. */
export async function asRun(
  command: string,
  { inventory, json }: { inventory: string; json?: boolean },
  work: (run: Run) => Promise<number>,
): Promise<number> {
  const began = performance.now();
  const notice = (text: string): void => print(`${paint.cyan('notice:')} ${text}`);
  const log = openLog(logFile(inventory, command), notice);
  const document = emptyDocument(command);
  log.line(`${new Date().toISOString()} ${command} ${flagsOf(userArguments(process.argv))}`);
  const endHearing = hearLines(log.line);
  if (json) printAside(true);
  const end = (code: number): void => {
    if (code !== EXIT.ok && log.file !== undefined) print(`log:     ${log.file}`);
    log.line(`exit code ${code}`);
    Object.assign(document, {
      exitCode: code,
      seconds: (performance.now() - began) / 1000,
      log: log.file ?? null,
    });
    endHearing();
    printAside(false);
    if (json) console.log(JSON.stringify(document, null, 2));
  };
  try {
    const code = await work({ log, document });
    end(code);
    return code;
  } catch (error) {
    if (error instanceof Fault) {
      log.line(error.toString());
      document.error = troubleOf(error);
      end(error.code);
    } else endHearing();
    throw error;
  }
}
