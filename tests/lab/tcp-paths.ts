/** A far end that tells each TCP connection where it comes from, and a client with a connection on each path. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Lab } from '../../scripts/lib/lab/lab.ts';

const PORT = 9997;
const SITE = '203.0.113.80';

const FAR_END = `
import net from 'node:net';
net.createServer((socket) => {
  socket.on('error', () => undefined).write(socket.remoteAddress.replace(/^::ffff:/, '') + '\\n');
  socket.pipe(socket);
}).listen(${PORT}, () => console.log('there'));
process.stdin.on('end', () => process.exit()).resume();`;

/** What became of them. */
export interface TcpPaths {
  /** Whom the far end saw, of the connections begun on wgnet1, wgnet2, wgnet3. */
  seen: string[];
  /** The same of those begun after 20 switches. */
  later: string[];
  /** The same of one begun on wgnet1 while that brings no answer, and then the path moved to wgnet2. */
  moved: string;
  /** What \`ip route get\` says of the mark of a path that is deleted. */
  gone: string;
  /** What ends the connection of a path that is none any more. */
  renumbered: string;
  /** Bytes by counter: \`own2in\` of the second connection that came by wgnet2, \`other2out\` that left by another interface. */
  bytes: Record<string, number>;
}

/** Runs tcp-paths.mjs in the client, with its far end. */
export async function tcpPaths(lab: Lab, setup: string, fewer: string): Promise<TcpPaths> {
  const [command = '', ...words] = lab.words('inet', ['node', '--input-type=module', '-e', FAR_END]);
  const farEnd = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    farEnd.stdout.once('data', () => resolve());
    farEnd.once('exit', () => reject(new Error('the far end ended')));
  });
  try {
    const input = readFileSync(new URL('tcp-paths.mjs', import.meta.url), 'utf8');
    const program = ['node', '--input-type=module', '-', SITE, String(PORT), setup, fewer];
    const { code, stdout, stderr } = await lab.exec('client', program, { input });
    if (code !== 0) throw new Error(`tcp-paths.mjs: ${stderr}`);
    return JSON.parse(stdout);
  } finally {
    farEnd.stdin.end();
  }
}
