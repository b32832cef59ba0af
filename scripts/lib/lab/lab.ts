/** The lab for commands and tests: local droplets, their network, a web site and a client. */
export { labDown } from './down.ts';
export { type Lab, type Outcome, openLab } from './open.ts';
export type { Role, Shape } from './roles.ts';
export { bringUp, bringUpForCloud, labUp, prepareLab, type UpOptions } from './up.ts';
