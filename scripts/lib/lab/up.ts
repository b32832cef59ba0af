/** Puts a lab up, whatever is there: nothing, the lab itself, or the remains of one. */
import { atEnd, EXIT, Fault } from '../cli.ts';
import { withLock } from '../lock.ts';
import { boot } from './boot.ts';
import { clear } from './clear.ts';
import { type Decision, decide } from './decide.ts';
import { writeFolder } from './folder.ts';
import { checkHost, npmFolder } from './host.ts';
import { ensureBrowser, ensureImage, ensurePython } from './image.ts';
import { checkInotify } from './inotify.ts';
import { buildNetwork, namespacesOf } from './network.ts';
import { type Lab, labOf } from './open.ts';
import { waitFor } from './patience.ts';
import { type Place, placeOf } from './place.ts';
import { runningIn } from './processes.ts';
import { rolesOf, type Shape } from './roles.ts';
import { readState, type State, writeState } from './state.ts';

export interface UpOptions extends Partial<Shape> {
  name?: string;
  /** The client has Chromium, as the container wgclient does. A client that runs without is started anew for it. */
  browser?: boolean | undefined;
  /** Its droplets have Python and WireGuard, for comparisons with Ansible; only where the lab is built. */
  python?: boolean | undefined;
  /** Everyone has an IPv6 address as well, and hosts.ini names the proxies by theirs. */
  ipv6?: boolean | undefined;
}

/** Refuses while another `up`, `down` or `cloud` of this lab is at work. */
export const alone = <T>(place: Place, work: () => Promise<T>): Promise<T> =>
  withLock(
    `lab ${place.prefix}`,
    () => {
      throw new Fault({
        what: `another \`up\`, \`down\` or \`cloud\` of the lab "${place.name}" is at work`,
        next: 'wait until it ends, or choose another --name for a second lab',
      });
    },
    work,
  );

/** The folders that a lab's machines are started from. */
type Images = Pick<State, 'image' | 'browser' | 'python'>;

interface PrepareOptions {
  browser?: boolean | undefined;
  python?: boolean | undefined;
  /** Debian's; apt's own unless given. */
  mirror?: string | undefined;
}

/** What a lab needs before it can be put up, with progress: this computer's packages, and the images. */
export async function prepareLab({ browser, python, mirror }: PrepareOptions = {}): Promise<Images> {
  await checkHost();
  return {
    image: await ensureImage(mirror),
    ...(browser ? { browser: await ensureBrowser(mirror) } : {}),
    ...(python ? { python: await ensurePython(mirror) } : {}),
  };
}

async function build(place: Place, state: State, signal: AbortSignal): Promise<void> {
  await clear(place);
  await checkInotify(state.vpn + state.comp);
  await writeFolder(place, state);
  signal.throwIfAborted();
  await buildNetwork(place, rolesOf(state), state);
  signal.throwIfAborted();
  await boot(place, state, rolesOf(state), signal);
  // Nobody would take down what came to its end after Ctrl-C.
  signal.throwIfAborted();
  writeState(place, state);
}

/** Builds a lab, or leaves nothing of it: also after an error and after Ctrl-C. */
async function buildWhole(place: Place, state: State): Promise<void> {
  const stop = new AbortController();
  const work = build(place, state, stop.signal);
  const settle = async (): Promise<void> => {
    stop.abort(new Fault({ what: `the lab "${place.name}" was interrupted`, code: EXIT.interrupted }));
    const ended = work.then(
      () => false,
      () => true,
    );
    if (await waitFor(`the start of the lab "${place.name}" to end`, ended)) await clear(place);
  };
  let settled: Promise<void> | undefined;
  const once = (): Promise<void> => {
    settled ??= settle();
    return settled;
  };
  atEnd(once);
  // Whoever comes first, the work's own end or a signal: the other waits for the same clearing.
  await work.finally(once);
}

/** Puts a lab up (3 vpn and 1 comp unless told otherwise); says what there was to do. */
export async function bringUp(options: UpOptions = {}): Promise<{ lab: Lab; decision: Decision }> {
  const { name = 'lab', vpn = 3, comp = 1 } = options;
  const place = placeOf(name);
  // A lab that had Chromium once has it until it is taken down.
  const browser = options.browser === true || readState(place)?.browser !== undefined;
  const ipv6 = options.ipv6 === true || readState(place)?.ipv6 === true;
  const images = await prepareLab({ browser, python: options.python });
  const state: State = { vpn, comp, ...images, npm: await npmFolder(), ...(ipv6 ? { ipv6 } : {}) };
  return alone(place, async () => {
    const before = readState(place);
    const decision = decide(
      name,
      { vpn, comp, browser, ipv6 },
      {
        shape: before,
        browser: before?.browser !== undefined,
        ipv6: before?.ipv6 === true,
        namespaces: await namespacesOf(place),
        machines: [...runningIn(place).keys()],
      },
    );
    if (decision.do === 'build') await buildWhole(place, state);
    const standing =
      decision.do === 'build' || before === undefined ? state : { browser: state.browser, ...before };
    const lab = labOf(place, standing);
    if (decision.do === 'start') {
      writeState(place, standing);
      for (const role of decision.roles) {
        await lab.stop(role);
        await lab.start(role);
      }
    }
    return { lab, decision };
  });
}

/** Puts a lab up, and opens it. */
export const labUp = async (options: UpOptions = {}): Promise<Lab> => (await bringUp(options)).lab;

/** The lab called `name` as it stands, what is down of it started again; where there is none, one without droplets. */
export async function bringUpForCloud(name: string): Promise<{ lab: Lab; decision: Decision }> {
  await prepareLab();
  const { vpn, comp } = readState(placeOf(name)) ?? { vpn: 0, comp: 0 };
  return bringUp({ name, vpn, comp });
}
