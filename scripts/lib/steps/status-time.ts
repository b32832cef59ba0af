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
