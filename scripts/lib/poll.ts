/** Milliseconds of doing nothing. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks every 50 ms until the answer is yes; false where it is still no after `limit` ms. */
export async function until(limit: number, ask: () => boolean | Promise<boolean>): Promise<boolean> {
  const end = performance.now() + limit;
  while (!(await ask())) {
    if (performance.now() > end) return false;
    await pause(50);
  }
  return true;
}
