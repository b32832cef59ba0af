/** What a droplet is told at its first boot. */
import { fromTemplate } from '../template.ts';

/** cloud-init's user data that gives a droplet its one SSH host key (cloud-init, module "SSH"). */
export const userData = (key: { privateKey: string; publicKey: string }): string =>
  fromTemplate('user-data', {
    privateLines: key.privateKey.trimEnd().split('\n'),
    publicKey: key.publicKey,
  });
