/** Waits for services to answer. */
import { attempt } from '../transport/local.ts';

export interface Service {
  address: string;
  port: number;
  /** What its first line begins with; '' for one that waits to be asked. */
  greeting: string;
}

// One process asks all of them in turn. A connection that is refused costs nothing, so 20 ms between two.
const ASK = `
end=$((SECONDS + $1)); shift
for service; do
  IFS=/ read -r address port greeting <<<"$service"
  until (
    exec 3<>"/dev/tcp/$address/$port" || exit 1
    [ -z "$greeting" ] && exit 0
    read -r -t 2 line <&3 && [ "\${line#"$greeting"}" != "$line" ]
  ) 2>/dev/null; do
    [ $SECONDS -lt $end ] || { echo "$address"; exit 1; }
    sleep 0.02
  done
done`;

/** Seconds that one process asks, so that none is left for long where nobody wants to know any more. */
const ROUND = 3;

/** The address of the first service that does not answer in a namespace in so many seconds, if there is one; asked no more once aborted. */
export async function findSilent(
  namespace: string,
  services: readonly Service[],
  seconds: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const targets = services.map(({ address, port, greeting }) => `${address}/${port}/${greeting}`);
  const words = ['ip', 'netns', 'exec', namespace, 'bash', '-c', ASK, 'bash', String(ROUND), ...targets];
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const { code, stdout, stderr } = await attempt(words);
    if (code === 0) return undefined;
    // Whatever else goes wrong there does so at once, and again.
    const silent = stdout.trim();
    if (silent === '' || signal?.aborted || performance.now() >= end) return silent || stderr.trim();
  }
}
