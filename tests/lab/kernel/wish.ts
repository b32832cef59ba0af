/** What the guest asks of the kernel, and the test holds it against. */

/** By this seed's list the shares are within 1 % of the weights from the 1000th packet on. */
export const SPLIT = { seed: 2009, weights: [0.5, 0.3, 0.2] };
