/** migrate.ts at the service of another program: schedules begin and end at that one's word. */

/** `run`, `run 42` with a seed, `stop`. */
export type Order = { word: 'run'; seed: number | undefined } | { word: 'stop' };

/** Reads one line; undefined for a line that is no order. */
export function readOrder(line: string): Order | undefined {
  if (line === 'stop') return { word: 'stop' };
  const seed = /^run(?: (\d{1,16}))?$/.exec(line);
  if (seed === null) return undefined;
  const number = seed[1] === undefined ? undefined : Number(seed[1]);
  return number === undefined || Number.isSafeInteger(number) ? { word: 'run', seed: number } : undefined;
}

/**
 * Takes orders from standard input until that ends or `stop` fires. `ready` is called whenever it waits for one to
 * run; `run` carries a schedule out until its signal fires.
 */
export async function serve(
  stop: AbortSignal,
  ready: () => void,
  run: (seed: number | undefined, end: AbortSignal) => Promise<void>,
): Promise<void> {
  let running: { end: AbortController; done: Promise<void> } | undefined;
  const finish = async (reason: string): Promise<void> => {
    running?.end.abort(reason);
    await running?.done;
    running = undefined;
  };
  let fail: (reason: unknown) => void = () => undefined;
  const ended = new Promise<undefined>((resolve, reject) => {
    fail = reject;
    stop.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const input = lines(process.stdin);
  ready();
  for (;;) {
    const next = await Promise.race([input.next(), ended]);
    if (next === undefined || next.done) break;
    const order = readOrder(next.value);
    if (order === undefined) {
      console.error(`no order: ${JSON.stringify(next.value.slice(0, 80))}; there are run, run SEED and stop`);
      continue;
    }
    const was = running !== undefined;
    await finish('stop');
    if (order.word === 'stop') {
      if (was) ready();
      continue;
    }
    const end = new AbortController();
    const done = run(order.seed, end.signal);
    // Also where nobody orders anything any more.
    done.catch(fail);
    running = { end, done };
  }
  await finish(stop.aborted ? String(stop.reason) : 'input ended');
  process.stdin.destroy();
}

async function* lines(input: NodeJS.ReadStream): AsyncGenerator<string> {
  let rest = '';
  input.setEncoding('utf8');
  for await (const piece of input) {
    const parts = `${rest}${piece}`.split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
