/** The computer's side of the virtual machine: what it gets, and what it tells. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeDirectory, writeText } from '../../../scripts/lib/files.ts';
import { leakFilterFor } from '../../../scripts/lib/lab/capture.ts';
import { PROJECT } from '../../../scripts/lib/lab/place.ts';
import { ensureVm } from '../../../scripts/lib/lab/vm/image.ts';
import { startVm, type Vm } from '../../../scripts/lib/lab/vm/vm.ts';
import { until } from '../../../scripts/lib/poll.ts';
import { run } from '../../../scripts/lib/transport/local.ts';
import { PROXIES } from './guest-tools.ts';
import { writeNetwork } from './network.ts';
import type { Result } from './results.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Milliseconds from one thing that the machine tells to the next: only reached where something is broken. */
const PATIENCE = 300_000;

/** One file for Node, by tsx's own esbuild, as tsx takes long to start there: the same code, its types taken off. */
async function bundle(source: string, file: string): Promise<void> {
  // Commander is CommonJS, and asks for Node's modules in its way.
  const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
  const how = ['--bundle', '--platform=node', '--format=esm', '--target=node20', '--log-level=error'];
  const esbuild = join(PROJECT, 'node_modules/.bin/esbuild');
  await run([esbuild, source, ...how, `--banner:js=${banner}`, `--outfile=${file}`]);
}

async function makeWork(work: string): Promise<void> {
  makeDirectory(work);
  writeNetwork(work);
  writeText(join(work, 'leaks.filter'), leakFilterFor(PROXIES));
  const copies = {
    start: 'start.sh',
    'site.pl': 'site.pl',
    'load.pl': 'load.pl',
    'prober.pl': '../prober.pl',
  };
  for (const [name, source] of Object.entries(copies)) copyFileSync(join(HERE, source), join(work, name));
  await Promise.all([
    bundle(join(HERE, 'guest.ts'), join(work, 'guest.mjs')),
    bundle(join(PROJECT, 'client/scripts/migrate.ts'), join(work, 'migrate.mjs')),
  ]);
}

export class Guest {
  private readonly vm: Vm;

  private constructor(vm: Vm) {
    this.vm = vm;
  }

  /** Builds the machine where it is missing, and starts it with this project's files. */
  static async start(directory: string): Promise<Guest> {
    const image = await ensureVm();
    // The tunnels' keys are in it.
    makeDirectory(directory, 0o700);
    const work = join(directory, 'work');
    await makeWork(work);
    return new Guest(await startVm({ image, work, directory }));
  }

  private get all(): Result[] {
    return this.vm.lines().map((line) => JSON.parse(line));
  }

  private of<T extends Result['topic']>(topic: T): Extract<Result, { topic: T }>[] {
    return this.all.filter((result): result is Extract<Result, { topic: T }> => result.topic === topic);
  }

  /** All that it tells of a topic: once it tells of the next one, or has come to its end. */
  async results<T extends Result['topic']>(topic: T): Promise<Extract<Result, { topic: T }>[]> {
    const over = (): boolean => this.of(topic).length > 0 && this.all.at(-1)?.topic !== topic;
    const ended = (): boolean => over() || !this.vm.isUp();
    let told = ended();
    for (let before = -1; !told && this.all.length > before; ) {
      before = this.all.length;
      await until(PATIENCE, () => ended() || this.all.length > before);
      told = ended();
    }
    const results = this.of(topic);
    if (told && (over() || (topic === 'end' && results.length > 0))) return results;
    const last = this.vm.console().trim().split('\n').slice(-30).join('\n');
    throw new Error(
      `the virtual machine ${this.vm.isUp() ? 'says' : 'ended, and said'} nothing of "${topic}":\n${last}`,
    );
  }

  async result<T extends Result['topic']>(topic: T): Promise<Extract<Result, { topic: T }>> {
    const [only] = await this.results(topic);
    if (only === undefined) throw new Error(`nothing of ${topic}`);
    return only;
  }

  /** Waits until it has turned its power off. */
  async ended(): Promise<void> {
    if (await until(PATIENCE, () => !this.vm.isUp())) return;
    throw new Error('the virtual machine does not turn its power off');
  }

  stop(): Promise<void> {
    return this.vm.stop();
  }
}
