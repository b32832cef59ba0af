# The far end: a page over HTTP that says who asks, and an echo of UDP. perl - ADDRESS
use strict;
use warnings;
use Socket qw(:all);

my ($address) = @ARGV;
socket(my $udp, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
bind($udp, pack_sockaddr_in(7, inet_aton($address))) or die "bind: $!\n";
setsockopt($udp, SOL_SOCKET, SO_RCVBUF, 4 << 20);
socket(my $web, AF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
setsockopt($web, SOL_SOCKET, SO_REUSEADDR, 1);
bind($web, pack_sockaddr_in(80, inet_aton($address))) or die "bind: $!\n";
listen($web, 64) or die "listen: $!\n";

for (;;) {
  my $ready = '';
  vec($ready, fileno($_), 1) = 1 for $udp, $web;
  select($ready, undef, undef, undef);
  if (vec($ready, fileno($udp), 1)) {
    my $from = recv($udp, my $data, 2048, MSG_DONTWAIT);
    send($udp, $data, 0, $from) if $from;
  }
  next unless vec($ready, fileno($web), 1);
  my $peer = accept(my $client, $web) or next;
  my (undef, $host) = unpack_sockaddr_in($peer);
  sysread($client, my $asked, 4096);
  my $page = inet_ntoa($host);
  syswrite($client, "HTTP/1.0 200 OK\r\nContent-Length: " . length($page) . "\r\n\r\n$page");
  close($client);
}
