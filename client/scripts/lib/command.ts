import { Command, CommanderError } from 'commander';
import { EXIT, Fault } from './fault.ts';

/** A commander program with this project's manners: strict, help after an error, no exit of its own. */
export function command(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: true });
}

type Cleanup = () => void | Promise<void>;
const cleanups = new Set<Cleanup>();

/** Registers work for the command's end, however it ends (signals too); returns a way to run it early. */
export function atEnd(cleanup: Cleanup): () => Promise<void> {
  cleanups.add(cleanup);
  return async () => {
    if (cleanups.delete(cleanup)) await cleanup();
  };
}

async function runCleanups(): Promise<void> {
  for (const cleanup of [...cleanups].reverse()) {
    cleanups.delete(cleanup);
    await cleanup();
  }
}

/** The words behind the script's own name, under `zx script.ts …` and under `node script.ts …`. */
export function userArguments(argv: readonly string[]): string[] {
  const script = argv.findIndex(
    (word, i) => i > 0 && /\.[cm]?[jt]s$/.test(word) && !/[/\\]zx[/\\]/.test(word),
  );
  return argv.slice(script === -1 ? 2 : script + 1);
}

let exitCode: number = EXIT.ok;

/** Sets what the command will exit with, once everything is closed. */
export function exitWith(code: number): void {
  exitCode = code;
}

let signalTaker: ((signal: NodeJS.Signals) => void) | undefined;

/** Gives the first signal to a command whose normal end it is; a second one stops it as any other command. */
export function takeSignal(taker: (signal: NodeJS.Signals) => void): void {
  signalTaker = taker;
}

function codeOf(thrown: unknown): number {
  if (thrown instanceof Fault) {
    console.error(thrown.toString());
    return thrown.code;
  }
  // Commander has printed its own line by then; help and version end well.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.refused;
  console.error('This is a defect of CoMPS, please report it:');
  console.error(thrown);
  return EXIT.defect;
}

/** Runs the clean-ups; what goes wrong there is told like anything else. The exit code that it stands for. */
const endWell = (): Promise<number> => runCleanups().then(() => EXIT.ok, codeOf);

/** Where nft and tc are; the PATH that `su` and cron give lacks these. */
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** A PATH by which every program here is found: the given one first. */
export function searchPath(path = ''): string {
  // With none at all the system looks in these.
  const given = path === '' ? '/usr/local/bin:/usr/bin:/bin' : path;
  return [given, ...SBIN.filter((folder) => !given.split(':').includes(folder))].join(':');
}

/** Runs a program to its end. The only place in the project that exits the process. */
export async function main(program: Command): Promise<never> {
  process.env.PATH = searchPath(process.env.PATH);
  let stopping = false;
  let outputLost = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    const take = signalTaker;
    signalTaker = undefined;
    if (take !== undefined) {
      take(signal);
      return;
    }
    if (stopping) {
      // The impatient get the usual death at the next one.
      console.error(`\n${signal}: still cleaning up; once more, and it is left as it is.`);
      process.removeAllListeners(signal);
      return;
    }
    stopping = true;
    console.error(`\n${signal}: stopping. Run the same command again to finish the job.`);
    void endWell().then(() => process.exit(EXIT.interrupted));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // A reader that went away (`… | head`) is no fault, and the work goes on to its end.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    console.error(`error: cannot write to standard output: ${error.message}`);
    outputLost = true;
  });
  // So is a terminal that went away, of one who had asked for the work to go on (nohup, setsid).
  process.stderr.on('error', () => undefined);
  try {
    await program.parseAsync(userArguments(process.argv), { from: 'user' });
  } catch (thrown) {
    if (!stopping) exitCode = codeOf(thrown);
  }
  // What fails because it was told to stop is no news; the signal's own way ends the process.
  if (stopping) return new Promise<never>(() => {});
  const cleanedUp = await endWell();
  // What was written last fails a moment later. What others let fail behind the end is no news.
  process.on('unhandledRejection', () => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  if (cleanedUp !== EXIT.ok && exitCode === EXIT.ok) exitCode = cleanedUp;
  process.exit(outputLost ? exitCode || EXIT.failed : exitCode);
}
