/** The names of the client's modes. Pure. */

/** `wireguard`: all goes into wg0, and that into the current wgnetN. `quic`: all goes into the current wgnetN itself. */
export const MODES = ['wireguard', 'quic'] as const;
export type Mode = (typeof MODES)[number];

/** What becomes of TCP in mode quic: refused, or each connection kept on one path. */
export const TCPS = ['none', 'sticky'] as const;
export type Tcp = (typeof TCPS)[number];
