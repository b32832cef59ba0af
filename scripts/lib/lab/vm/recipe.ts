/** What the virtual machine is made of, and how it starts; nothing here runs anything. */
import { createHash } from 'node:crypto';

const SUITE = 'trixie';

/**
 * A server's own kernel, and what the lab's client has, but no wireguard-go: what this machine calls WireGuard is the
 * kernel's. busybox is for the first moments, before there is a disk.
 */
const PACKAGES = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'busybox-static', 'kmod', 'mount'],
  ...['wireguard-tools', 'nftables', 'iproute2', 'procps', 'iputils-ping', 'tcpdump', 'curl', 'nodejs'],
];

/** What it runs is its first process; none of this is ever read there. */
const REMOVED = [
  'boot',
  'var/lib/apt/lists',
  'var/cache/apt',
  'usr/share/bash-completion',
  'usr/share/zoneinfo',
];

export const vmWords = (tree: string, mirror: string): string[] => [
  ...['mmdebstrap', '--mode=root', '--variant=apt', `--include=${PACKAGES.join(',')}`],
  ...['doc', 'man', 'locale', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  '--aptopt=Acquire::Languages "none"',
  ...[SUITE, tree, mirror],
];

/** Process 1 of the memory disk: all that Debian's kernel lacks to read a disk of QEMU's is one module. */
export const EARLY_INIT = `#!/bin/busybox sh
/bin/busybox insmod /virtio_blk.ko
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount -o move /dev /root/dev
exec /bin/busybox switch_root /root /init
`;

/** Where the second disk's files are in the machine. */
export const WORK = '/run/work';

/**
 * Process 1 of the machine: unpacks the second disk, a tar file, runs its \`start\`, and turns the power off. What that
 * writes to standard output goes out by the port for results, its errors by the console.
 */
export const INIT = `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs tmp /tmp
ln -s /proc/self/fd /dev/fd
ip link set lo up
mkdir ${WORK} && tar -xf /dev/vdb -C ${WORK} && cd ${WORK}
./start </dev/null >/dev/vport0p1 2>/dev/console
echo "start ended with $?" >/dev/console
echo o >/proc/sysrq-trigger
sleep 60
`;

/** From the kernel and its memory disk to the machine's files. Each in a shell, with the folder as $1. */
export const PACK: Record<string, string> = {
  initrd: `set -eu; cd "$1"; mkdir -p early/dev early/root early/bin
cp tree/usr/bin/busybox early/bin/
for packed in tree/usr/lib/modules/*/kernel/drivers/block/virtio_blk.ko*; do cp "$packed" early/; done
case $packed in *.xz) chroot tree busybox xz -dc <"$packed" >early/virtio_blk.ko; rm early/*.xz ;; esac
chmod 755 early/init
mkdir tree/early; cp -a early/. tree/early/
chroot tree sh -c 'cd /early && find . | busybox cpio -o -H newc' >initrd
rm -rf early tree/early`,
  kernel: `set -eu; cd "$1"; cp tree/boot/vmlinuz-* kernel; chmod 644 kernel`,
  disk: `set -eu; cd "$1"; for name in ${REMOVED.join(' ')}; do rm -rf "tree/$name"; done
truncate -s 600M disk; mkfs.ext4 -q -F -O ^has_journal -d tree disk; rm -rf tree`,
};

/** The machine's name in the cache: of all that it is made of. */
export const vmHash = (): string =>
  `vm-${createHash('sha256')
    .update(JSON.stringify([vmWords('', ''), EARLY_INIT, INIT, PACK]))
    .digest('hex')
    .slice(0, 12)}`;

export interface VmDisks {
  /** The folder with kernel, initrd and disk. */
  folder: string;
  /** The tar file with what it is to run. */
  work: string;
}

/** Where a machine's output goes: files. */
export interface VmOutput {
  console: string;
  results: string;
}

/** QEMU 7.2 sets wrong flags behind cmpxchg16b, which the kernel's allocator uses where there is one: it then panics, now and then. */
const PROCESSOR = 'qemu64,-cx16';

/** Left out, as it takes long here and is no part of a network: the kernel's tests of itself, and guards against attacks. */
const QUICK = [
  ...['mitigations=off', 'nokaslr', 'cryptomgr.notests', 'audit=0', 'lsm=', 'cgroup_disable=memory'],
  ...['init_on_alloc=0', 'randomize_kstack_offset=off', 'hardened_usercopy=off', 'rcupdate.rcu_expedited=1'],
];

/** The emulator knows again what it has translated where it is at the same address: every command starts three times as fast. */
const SAME_ADDRESSES = 'norandmaps';

/**
 * QEMU's command line: one processor, emulated in software, so that the computer below needs to have nothing for it. There
 * is no network card, and nothing that is written lasts.
 */
export function qemuWords({ folder, work }: VmDisks, output: VmOutput): string[] {
  const kernel = ['console=ttyS0', 'quiet', 'panic=-1', SAME_ADDRESSES, ...QUICK];
  return [
    ...['qemu-system-x86_64', '-accel', 'tcg', '-cpu', PROCESSOR, '-smp', '1', '-m', '768'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-net', 'none', '-no-reboot'],
    ...['-kernel', `${folder}/kernel`, '-initrd', `${folder}/initrd`, '-append', kernel.join(' ')],
    ...['-drive', `file=${folder}/disk,if=virtio,format=raw,snapshot=on`],
    ...['-drive', `file=${work},if=virtio,format=raw,readonly=on`],
    ...['-serial', `file:${output.console}`],
    ...['-device', 'virtio-serial', '-chardev', `file,id=results,path=${output.results}`],
    ...['-device', 'virtserialport,chardev=results'],
  ];
}
