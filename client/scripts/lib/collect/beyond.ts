/** Whether anything beyond a proxy answers: the client's resolver, asked by the way of one tunnel alone. */
import { isIPv4 } from 'node:net';
import { question } from '../check/sockets.ts';
import { readIfAny } from '../folders.ts';
import { Tool } from '../process.ts';

const RESOLV = '/etc/resolv.conf';

/** Resolvers in a resolv.conf that a tunnel can lead to in mode quic: by IPv4, and not on this machine. Pure. */
export const resolversIn = (text: string): string[] =>
  [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, address = '']) =>
    isIPv4(address) && !address.startsWith('127.') ? [address] : [],
  );

/** Of ping, in the place of perl: a question every 0.4 s until the first answer, for two seconds at most. */
const PATIENT = ['-c', '1', '-i', '0.4', '-w', '2'];

/**
 * Asks over UDP by one device (SO_BINDTODEVICE, which Node has not), the resolvers in turn, every 0.4 s until the first
 * answer, for two seconds at most. Then answers to all that was asked are waited for, so that none comes into a capture.
 * Any answer is one, also that there is no such name. Ends with 0, or with 1 where all was silent.
 */
const ASK = `
use Socket qw(:all);
my ($device, $question, @to) = @ARGV;
$question = pack 'H*', $question;
my ($s, $answer, $found);
my ($sent, $heard) = (0, 0);
socket($s, AF_INET, SOCK_DGRAM | 2048, 0) or exit 1;
setsockopt($s, SOL_SOCKET, 25, "$device\\0") or exit 1;
sub hears {
  my $left = shift;
  for (;;) {
    my $in = '';
    vec($in, fileno $s, 1) = 1;
    ($found, $left) = select($in, undef, undef, $left);
    return 0 unless $found > 0;
    next unless defined recv($s, $answer, 4096, 0);
    return ++$heard if substr($answer, 0, 2) eq substr($question, 0, 2);
  }
}
for my $i (0 .. 4) {
  $sent++ if defined send($s, $question, 0, pack_sockaddr_in(53, inet_aton($to[$i % @to])));
  last if hears(0.4);
}
exit 1 unless $heard;
1 while $heard < $sent && hears(0.5);
`;

/** What a command ended with. */
async function run(words: readonly string[]): Promise<number | null> {
  return (await new Tool(words).ended).code;
}

/** Whether a resolver answers by this tunnel alone; true where none is known, as there is nobody to ask then. */
export async function answersBeyond(device: string): Promise<boolean> {
  const resolvers = resolversIn(readIfAny(RESOLV)?.toString() ?? '');
  const [first] = resolvers;
  if (first === undefined) return true;
  const code = await run(['perl', '-e', ASK, device, question().toString('hex'), ...resolvers]);
  if (code === 0 || code === 1) return code === 0;
  // There is no perl, or none with Socket.
  return (await run(['ping', '-n', ...PATIENT, '-I', device, first])) === 0;
}

const BEYOND = 'the resolver by ';

/** What is silent where a proxy answers and nothing beyond it: `the resolver by wgnet2`. */
export const beyond = (device: string): string => BEYOND + device;

export const isBeyond = (silent: string): boolean => silent.startsWith(BEYOND);
