/**
 * The command line of the lab's HTTP/3 server, ngtcp2's, which really follows a client whose address moves, and of what
 * keeps the few of its words that matter. `h3-log.ts` reads them.
 *
 * What is to be served is written into the lab's folder `site/quic`, whole before it is asked for, under a name of its own: the
 * server keeps each file that it has served once, so other content under that name is not seen, and a file cut short in its
 * place is its end. A name of digits alone, as /1000000, is so many bytes that it makes up, 20 MiB at most.
 */
import { quote, quoteAll } from '../shell.ts';
import { QUIC_SITE } from './roles.ts';

/** In the machine `inet`; in the lab's folder `site/h3.log`. */
const LOG = '/site/h3.log';

/**
 * It tells of every packet, about 350 kB for each MB that it serves. Its own lines name no connection; but one process in one
 * thread serves them all, and it says which packet it reads, and of which connection its library makes it, before what
 * comes of it. So each line that is kept gets the connection that was named last, and a handshake the address as well.
 * At the end of the server its last words go to the machine's console.
 */
export const KEEP = String.raw`$| = 1;
while (<STDIN>) {
  ($told, $said) = ($said, $_);
  if (/^I/) { $library = $_ }
  elsif (/^Received packet/) { $packet = $_ }
  elsif (/^(?:Path validation against|QUIC handshake has completed|http: stream \S+ \[:path:)/) {
    chomp;
    my ($id) = $library =~ /^I\d+ (0x[0-9a-f]+) /;
    my ($from) = /^QUIC/ ? $packet =~ /( remote=\S+)/ : "";
    print "$id $_$from\n";
  }
}
print STDERR "the HTTP/3 server ended: ", $told, $said;`;

/** What `bash -c` runs; it ends where the server does. */
export function h3ServerLine(): string {
  const server = [
    ...['gtlsserver', '--no-quic-dump', '--no-http-dump', '--htdocs=/site/quic'],
    ...[QUIC_SITE, '443', '/site/tls/site.key', '/site/tls/site.crt'],
  ];
  return `${quoteAll(server)} 2>&1 | perl -e ${quote(KEEP)} >>${LOG}`;
}

/** What `bash -c` waits with until the server listens, or its process is gone: UDP port 443, as /proc/net/udp writes it. */
export const H3_LISTENS = 'until grep -q :01BB /proc/net/udp || ! kill -0 $!; do sleep 0.02; done';
