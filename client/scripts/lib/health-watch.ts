/** Looks at the tunnels once a second, beside a schedule that must not be held up: one long-lived shell does the asking. */
import { judge, type PathHealth, type Reason, readLook } from './health.ts';
import { judgeBlind } from './health-blind.ts';
import { Tool } from './process.ts';

/** Milliseconds from one look to the next, and to the next try where a path is left out. */
const LOOK_MS = 1000;
const PROBE_MS = 4000;
/** A look that takes longer is given up, with the shell that does not answer, milliseconds. */
const HUNG_MS = 10_000;
/** How long the first look may take, milliseconds. */
const FIRST_MS = 5000;

/** An address of which only the way there is asked (RFC 5737): the proxy itself answers a packet without time to live. */
const ANYWHERE = '192.0.2.1';

/** Stands in a look for what `wg` would have said. */
const NO_WG = 'no-wg';

/**
 * `look` prints what readLook reads. One tunnel whose program stands still would keep `wg show all` waiting for ever: then
 * each is asked by itself. 127 is what `timeout` ends with where there is no `wg`. `probe NAMES` sends one packet into each
 * of these tunnels, for which WireGuard makes a handshake.
 */
const SHELL = `
names=$*
each() { for name in $names; do timeout 1 wg show "$name" "$1" | sed "s/^/$name\t/"; done; }
all() { timeout 2 wg show all "$1"; case $? in 0) ;; 127) echo ${NO_WG} ;; *) each "$1" ;; esac; }
while read -r order which; do
  case $order in
    look)
      ip -o link show up; echo =
      all latest-handshakes
      echo =
      all transfer
      echo . ;;
    probe) for name in $which; do ping -n -c 1 -W 2 -t 1 -I "$name" ${ANYWHERE} >/dev/null 2>&1 & done ;;
  esac
done`;

/** Paths that were left out or came back, as indices; all that are left out now; when, by performance.now(). */
export interface Change {
  left: { path: number; reason: Reason }[];
  back: number[];
  out: ReadonlySet<number>;
  at: number;
}

export interface Listener {
  /** Something changed. */
  changed: (change: Change) => void;
  /** Each look, changed or not. */
  looked?: () => void;
  /** For a person. */
  warn: (text: string) => void;
}

export class HealthWatch {
  private readonly names: readonly string[];
  private listener: Listener | undefined;
  private shell: Tool | undefined;
  private text = '';
  private health: PathHealth[] = [];
  private leftOut: ReadonlySet<number> = new Set();
  private asked: number | undefined;
  private probed = Number.NEGATIVE_INFINITY;
  private complained = false;
  private blind = false;
  private readonly timer: NodeJS.Timeout;
  private first: (() => void) | undefined;

  private constructor(names: readonly string[]) {
    this.names = names;
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  /** Resolves after the first look, so that a schedule does not begin on a dead path; `listener` hears of that one too. */
  static async open(names: readonly string[], listener: Listener): Promise<HealthWatch> {
    const watch = new HealthWatch(names);
    watch.listener = listener;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, FIRST_MS);
      watch.first = () => {
        clearTimeout(late);
        resolve();
      };
      watch.look();
    });
    return watch;
  }

  /** Indices of the paths that are left out now. */
  get out(): ReadonlySet<number> {
    return this.leftOut;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.listener = undefined;
    await this.shell?.end('SIGKILL', 0);
  }

  private look(): void {
    const now = performance.now();
    if (this.asked !== undefined) {
      if (now - this.asked > HUNG_MS) this.shell?.kill('SIGKILL');
      if (this.shell?.over === undefined) return;
    }
    if (this.shell === undefined || this.shell.over !== undefined) this.shell = this.start();
    this.asked = now;
    this.shell.input('look\n');
  }

  private start(): Tool {
    if (this.shell !== undefined)
      this.complain('the shell that asks for the tunnels’ health ended, and is started again');
    this.text = '';
    return new Tool(['sh', '-c', SHELL, 'sh', ...this.names], (text) => this.read(text));
  }

  private read(text: string): void {
    this.text += text;
    const end = this.text.indexOf('\n.\n');
    if (end === -1 || this.listener === undefined) return;
    const look = this.text.slice(0, end + 1);
    this.text = this.text.slice(end + 3);
    this.asked = undefined;
    this.take(look);
    this.first?.();
  }

  private take(look: string): void {
    const at = performance.now();
    const blind = look.includes(`\n${NO_WG}\n`);
    if (blind !== this.blind) this.tell(blind);
    const sample = { at: at / 1000, epoch: Date.now() / 1000, seen: readLook(look, this.names) };
    this.health = (blind ? judgeBlind : judge)(this.health, this.names, sample);
    this.compare(at);
    this.probe(at);
    this.listener?.looked?.();
  }

  private compare(at: number): void {
    const before = this.leftOut;
    const left = this.health.flatMap(({ out }, path) =>
      out === undefined || before.has(path) ? [] : [{ path, reason: out }],
    );
    const back = [...before].filter((path) => this.health[path]?.out === undefined);
    if (left.length === 0 && back.length === 0) return;
    this.leftOut = new Set(this.health.flatMap(({ out }, path) => (out === undefined ? [] : [path])));
    this.listener?.changed({ left, back, out: this.leftOut, at });
  }

  /** A path that nothing uses would get its handshake only when its keepalive is due. */
  private probe(at: number): void {
    if (at - this.probed < PROBE_MS) return;
    const there = [...this.leftOut].filter((path) => this.health[path]?.out !== 'gone');
    if (there.length === 0) return;
    this.probed = at;
    this.shell?.input(`probe ${there.map((path) => this.names[path]).join(' ')}\n`);
  }

  private tell(blind: boolean): void {
    this.blind = blind;
    this.listener?.warn(
      blind
        ? 'wg is missing, so no path is left out but for an interface that is gone; next: apt-get install wireguard-tools'
        : 'wg is there again',
    );
  }

  private complain(text: string): void {
    if (this.complained) return;
    this.complained = true;
    this.listener?.warn(text);
  }
}
