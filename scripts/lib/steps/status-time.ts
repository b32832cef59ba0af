/** The work's result, or undefined where `stop` fires before. Nothing of it stays behind at `stop`, however often it is asked. */
export async function unless<T>(stop: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  let stopped = (): void => undefined;
  const end = new Promise<undefined>((resolve) => {
    stopped = () => resolve(undefined);
    stop.addEventListener('abort', stopped);
    if (stop.aborted) stopped();
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    stop.removeEventListener('abort', stopped);
  }
}

/** The answer, or after so many seconds what `late` says instead; the work itself goes on. */
export async function inTime<T>(work: Promise<T>, limit: number, late: () => T): Promise<T> {
  if (!Number.isFinite(limit)) return work;
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(late()), limit * 1000);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}
