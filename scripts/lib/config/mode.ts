/**
 * How the client's packets travel: `wireguard`: everything in wg0, whose packets go by the current path; `quic`: everything
 * straight into the current path, with one address on all of them, so that QUIC's own migration keeps a connection.
 */
export const MODES = ['wireguard', 'quic'] as const;
export type Mode = (typeof MODES)[number];

/** What becomes of TCP in mode quic, which a switch would break: refused, or each connection kept on its first path. */
export const TCP_WAYS = ['none', 'sticky'] as const;
export type Tcp = (typeof TCP_WAYS)[number];
