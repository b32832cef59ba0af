/** Milliseconds that a person waits without a word. */
const SILENCE = 5000;

/** Waits for work that is usually over at once; says what it waits for where it is not. */
export async function waitFor<T>(what: string, work: Promise<T>, silence = SILENCE): Promise<T> {
  const timer = setTimeout(() => console.error(`still waiting for ${what}`), silence);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
