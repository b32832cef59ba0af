/** Room for many machines: each one's systemd takes inotify instances, of which the kernel gives a user 128 by default. */
import { Fault } from '../cli.ts';
import { readText } from '../files.ts';
import { attempt } from '../transport/local.ts';

/** What systemd 252 to 257 takes in a droplet of ours, and one to spare. */
const A_DROPLET = 4;
/** Below this share of the limit nobody looks who else has some. */
const FREE = 0.25;

export const INOTIFY_LIMIT = '/proc/sys/fs/inotify/max_user_instances';

/** The limit that so many more droplets need where so many instances are taken; undefined where `limit` is enough. */
export function limitFor(droplets: number, taken: number, limit: number): number | undefined {
  const needed = droplets * A_DROPLET + taken;
  // A round number, with room for what comes and goes.
  return needed <= limit ? undefined : Math.ceil((needed * 1.25) / 128) * 128;
}

const takenByRoot = async (): Promise<number> => {
  const find = "find /proc/[0-9]*/fd -maxdepth 1 -user 0 -lname 'anon_inode:inotify' 2>/dev/null | wc -l";
  return Number((await attempt(['sh', '-c', find])).stdout);
};

/** The limit that so many more droplets need on this computer now; undefined where it is enough. */
export async function lackingInotify(droplets: number): Promise<number | undefined> {
  const limit = Number(readText(INOTIFY_LIMIT));
  if (droplets * A_DROPLET < limit * FREE) return undefined;
  return limitFor(droplets, await takenByRoot(), limit);
}

/** Refuses a lab whose droplets would not all start. */
export async function checkInotify(droplets: number): Promise<void> {
  const needed = await lackingInotify(droplets);
  if (needed === undefined) return;
  throw new Fault({
    what: `${droplets} droplets need more of the kernel's inotify instances than root may have (fs.inotify.max_user_instances is ${readText(INOTIFY_LIMIT).trim()})`,
    next: `sysctl fs.inotify.max_user_instances=${needed}, or fewer droplets`,
  });
}
