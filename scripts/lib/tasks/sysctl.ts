import { single, type Task } from '../runner/task.ts';
import { file } from './file.ts';

const PATH = '/etc/sysctl.d/99-comps.conf';

/** A kernel parameter has a value now and after a reboot; two tasks, both read live. */
export function sysctl<F>(key: string, value: string): Task<F>[] {
  const live = `/proc/sys/${key.replaceAll('.', '/')}`;
  return [
    file(`${key} at boot`, {
      path: PATH,
      mode: '644',
      text: () => `# Written by scripts/wgnet-setup.ts.\n${key} = ${value}\n`,
    }),
    {
      name: `${key} now`,
      probe: `cat ${live}`,
      judge: (seen) =>
        single(
          seen.trim() === value
            ? undefined
            : { line: `set ${key} to ${value}`, shell: `echo ${value} >${live}` },
        ),
    },
  ];
}
