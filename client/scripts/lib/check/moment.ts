/** Seconds since 1970, on the clock of captures. */
export const realTimeNow = (): number => Date.now() / 1000;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
