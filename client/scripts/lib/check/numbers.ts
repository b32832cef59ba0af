/** Marks and tables of network.md. */

/** Of wg0's packets. */
export const WG0 = 51820;
/** Of the wgnetN's own, and the table of the paths. */
export const WGNET = 51821;

/** Mark and table of TCP connections that stay on path K, in mode quic: this and K. */
export const STICKY = 52000;
/** The preference of their rules, before all others. */
export const STICKY_PREFERENCE = 98;

/** Whether a number is the mark, and the table, of such a path. */
export const isSticky = (table: number): boolean => table > STICKY && table <= STICKY + 999;
/** Mark and table of the TCP connections of a wgnetN. */
export const stickyOf = (path: string): number => STICKY + Number(path.replace('wgnet', ''));

/** Mark and table of path K of a kernel split: this and K. */
const SPLIT = 51900;
/** Whether a number is the mark, and the table, of such a path. */
export const isSplitTable = (table: number): boolean => table > SPLIT && table <= SPLIT + 99;
