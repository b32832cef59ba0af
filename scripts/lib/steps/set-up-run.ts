/** What surrounds a set-up: its log, and with `--json` its document. */
import type { Command } from 'commander';
import { atEnd, EXIT, Fault, messageOf, paint, userArguments } from '../cli.ts';
import { hearLines, print, printAside } from '../progress.ts';
import { logFile, openLog, type RunLog } from '../runner/log.ts';
import { hideSecrets } from '../runner/secrets.ts';
import { quoteAll } from '../shell.ts';
import { emptyDocument, type RunDocument, troubleOf } from './set-up-json.ts';

export interface Run {
  log: RunLog;
  document: RunDocument;
}

/** A run without log and document. */
export const bareRun = (): Run => ({ log: openLog(undefined, () => {}), document: emptyDocument('') });

/** `--extra-vars`, or an `e` in a word of short flags; in a word, what stands behind one that takes a value is that value. */
const VARS = /^(--extra-vars=?|-[^-cefilotuT]*e)/;

/** The command line without the values of variables, which may be secret. */
export const flagsOf = (words: readonly string[]): string =>
  quoteAll(
    words.map((word, i) => {
      if (/^(?:--extra-vars|-[^-cefilotuT]*e)$/.test(words[i - 1] ?? '')) return '(hidden)';
      const flag = VARS.exec(word)?.[0];
      return flag === undefined || flag === word ? word : `${flag}(hidden)`;
    }),
  );

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** With `--json` there is a document of a command line that is refused, too: nothing has read it by then. */
export function documentRefusals(program: Command): Command {
  return program.exitOverride((error) => {
    if (error.exitCode !== 0 && userArguments(process.argv).includes('--json')) {
      const message = error.message.replace(/^error: /, '');
      const refused = {
        exitCode: EXIT.refused,
        error: { message, next: `npx zx scripts/${program.name()}.ts --help` },
      };
      console.log(JSON.stringify({ ...emptyDocument(program.name()), ...refused }, null, 2));
    }
    throw error;
  });
}

/** The work of a command, logged from when it begins; where it does not end well, the log's name is said. */
export async function asRun(
  command: string,
  { inventory, json, check }: { inventory: string; json?: boolean; check?: boolean },
  work: (run: Run) => Promise<number>,
): Promise<number> {
  const began = performance.now();
  const notice = (text: string): void => print(`${paint.cyan('notice:')} ${text}`);
  const log = openLog(logFile(inventory, command), notice);
  const document: RunDocument = { ...emptyDocument(command), check: check ?? false };
  log.line(`${new Date().toISOString()} ${command} ${flagsOf(userArguments(process.argv))}`);
  const endHearing = hearLines(log.line);
  if (json) printAside(true);

  let [ended, interrupted] = [false, false];
  const end = (wish: number): void => {
    if (ended) return;
    ended = true;
    for (const signal of SIGNALS) process.off(signal, onSignal);
    const code = interrupted ? EXIT.interrupted : wish;
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
  // What the work says of itself once it was told to stop is no news.
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupted) return;
    interrupted = true;
    log.line(`interrupted by ${signal}`);
    document.error = { message: `interrupted by ${signal}`, next: 'run the same command again' };
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  // The first that is registered comes last: by then everything else is closed.
  const drop = atEnd(() => end(EXIT.interrupted));
  try {
    const code = await work({ log, document });
    end(code);
    return code;
  } catch (error) {
    if (!interrupted) {
      const fault = error instanceof Fault;
      log.line(fault ? error.toString() : `defect: ${(error as Error)?.stack ?? error}`);
      document.error = fault
        ? troubleOf(error)
        : { message: hideSecrets(messageOf(error)), next: 'this is a defect of CoMPS, please report it' };
    }
    end(error instanceof Fault ? error.code : EXIT.defect);
    throw error;
  } finally {
    await drop();
  }
}
