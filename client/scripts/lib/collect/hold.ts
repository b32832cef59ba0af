/** The lock of a run's folder: held by the kernel for whoever sees the folder, from another container too. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { atEnd } from '../command.ts';
import { Fault } from '../fault.ts';
import { giveToOwner, makeFolder, readIfAny, write } from '../folders.ts';
import { Tool } from '../process.ts';
import { LOCK } from '../trace/layout.ts';
import { requireOwn } from './run.ts';
import { placeFault } from './sink.ts';

/** Milliseconds for flock to say whether it has the lock. */
const PATIENCE = 10_000;
/** What it ends with where somebody else has it. */
const CONFLICT = 75;
const HELD = 'held';

/** Who holds it, for whoever is refused: a process number is that of its own container. */
const holder = (): string => `process ${process.pid} of ${hostname()}, since ${new Date().toISOString()}`;

/**
 * Holds a run's folder, made where it is missing, until the command's end, or what comes back is called; kill -9 frees it
 * too. Throws a Fault that names the holder. Node has no flock(2), so flock(1) holds it beside this process.
 */
export async function holdRun(run: string): Promise<() => Promise<void>> {
  requireOwn(run);
  const file = join(run, LOCK);
  try {
    makeFolder(run);
  } catch (error) {
    throw placeFault(run, error);
  }
  let heard = '';
  const tool: Tool = new Tool(
    // It becomes a cat: this process alone has to end for the lock to be free.
    ['flock', '-F', '-n', '-E', String(CONFLICT), file, 'sh', '-c', `echo ${HELD}; exec cat`],
    (text) => {
      heard += text;
      tool.tell();
    },
  );
  const release = atEnd(() => tool.end('SIGKILL', 0).then(() => undefined));
  const has = await tool.until(PATIENCE, () => heard.includes(HELD));
  if (!has && tool.over?.code === CONFLICT) {
    const who = readIfAny(file)?.toString().trim() || 'a process that does not say which';
    throw new Fault({
      at: `--run ${run}`,
      what: `another fetch_websites.ts is at work in it (${who})`,
      next: 'let it end, or end it there; or --run another folder',
    });
  }
  if (has) {
    try {
      // In place: another file of this name would be another lock.
      write(file, `${holder()}\n`);
      giveToOwner(file);
    } catch (error) {
      throw placeFault(run, error);
    }
  } else {
    const why = tool.said.trim().split('\n')[0] ?? '';
    console.error(
      `${run} cannot be locked (${why || 'flock does not answer'}): start no other run in it meanwhile`,
    );
  }
  return release;
}
