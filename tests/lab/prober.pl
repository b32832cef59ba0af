# Sends every kind of packet that a program can, many times a second, until it is ended: perl - FILE DEVICE SITE RESOLVER
# NEIGHBOUR PROXY SITE6 [behind]. FILE always holds one line of JSON, how often each kind was tried: {"rounds":9,"tried":{"udp":9,…}}.
# A try is a send that the kernel took or refused. `behind`: as a machine whose packets the client would have to forward.
# Each kind has a port, an address or a type of its own, so that a capture tells them apart (prober.ts has the filters).
use strict;
use warnings;
use Fcntl;
use Socket qw(:all);

my ($file, $device, $site, $resolver, $neighbour, $proxy, $site6, $behind) = @ARGV;
my ($IFINDEX, $IFADDR) = (0x8933, 0x8915);
my ($BINDTODEVICE, $FREEBIND, $HDRINCL, $ICMPV6) = (25, 15, 3, 58);
my ($ADD4, $DROP4, $ADD6, $DROP6, $IF4, $IF6) = (35, 36, 20, 21, 32, 17);
my (%tried, %keep, @open);
my ($index, $address, $round) = (0, inet_aton('0.0.0.0'), 0);

sub at { my ($host, $port) = @_; pack_sockaddr_in($port, inet_aton($host)) }
sub at6 { my ($host, $port, $scope) = @_; pack_sockaddr_in6($port, inet_pton(AF_INET6, $host), $scope // 0) }

sub make {
  my ($family, $type, $protocol) = @_;
  socket(my $socket, $family, $type, $protocol) or die "socket: $!\n";
  fcntl($socket, F_SETFL, O_NONBLOCK) or die "fcntl: $!\n";
  $socket;
}

# What the device is and has may change under us.
sub look {
  my $probe = make(AF_INET, SOCK_DGRAM, 0);
  my $name = pack('a16 x24', $device);
  $index = unpack('x16 i', $name) if ioctl($probe, $IFINDEX, $name);
  $name = pack('a16 x24', $device);
  $address = unpack('x20 a4', $name) if ioctl($probe, $IFADDR, $name);
}

sub to_device { setsockopt($_[0], SOL_SOCKET, $BINDTODEVICE, "$device\0"); $_[0] }
sub to_address {
  setsockopt($_[0], 0, $FREEBIND, 1);
  bind($_[0], pack_sockaddr_in(0, $address));
  $_[0];
}

# One that is made once, and again when the device is looked at again.
sub kept { my ($name, $make) = @_; $keep{$name} //= $make->() }
sub cast { my ($name, $make, $data, $to) = @_; send(kept($name, $make), $data, 0, $to); $tried{$name}++ }
sub dial {
  my ($name, $socket, $to) = @_;
  setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
  connect($socket, $to);
  push @open, $socket;
  $tried{$name}++;
}

sub checksum {
  my $sum = 0;
  $sum += $_ for unpack('n*', $_[0]);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  ~$sum & 0xffff;
}
my $echo = pack('CCnnn', 8, 0, 0, 1, 1);
substr($echo, 2, 2) = pack('n', checksum($echo));
my $echo6 = pack('CCnnn', 128, 0, 0, 1, 1);
my $question = pack('nnnnnn', 1, 0x100, 1, 0, 0, 0) . pack('C/a C/a C/a C n n', 'www', 'example', 'org', 0, 1, 1);

sub whole {
  my ($port) = @_;
  my $head = pack('CCnnnCCna4a4', 0x45, 0, 32, 1, 0, 64, 17, 0, $address, inet_aton($site));
  substr($head, 10, 2) = pack('n', checksum($head));
  $head . pack('nnnn', 9000, $port, 12, 0) . 'leak';
}

my $udp = sub { make(AF_INET, SOCK_DGRAM, 0) };
my $udp_device = sub { to_device($udp->()) };
my $udp_address = sub { to_address($udp->()) };
my $udp_all = sub { my $socket = $udp->(); setsockopt($socket, SOL_SOCKET, SO_BROADCAST, 1); $socket };
my $udp_group = sub { my $socket = $udp->(); setsockopt($socket, 0, $IF4, pack('a4a4i', "\0" x 4, "\0" x 4, $index)); $socket };
my $udp6 = sub { make(AF_INET6, SOCK_DGRAM, 0) };
my $udp6_device = sub { to_device($udp6->()) };
my $udp6_group = sub { my $socket = $udp6->(); setsockopt($socket, 41, $IF6, pack('i', $index)); $socket };
my $icmp = sub { make(AF_INET, SOCK_RAW, 1) };
my $icmp6 = sub { make(AF_INET6, SOCK_RAW, $ICMPV6) };
my $raw = sub { my $socket = make(AF_INET, SOCK_RAW, 255); setsockopt($socket, 0, $HDRINCL, 1); $socket };
my $frame = sub { make(17, SOCK_DGRAM, 8) };
my $tcp = sub { make(AF_INET, SOCK_STREAM, 0) };
my $tcp6 = sub { make(AF_INET6, SOCK_STREAM, 0) };

sub from_behind {
  cast('forwarded udp', $udp, 'leak', at($site, 9131));
  dial('forwarded tcp', $tcp->(), at($site, 9132));
  cast('forwarded icmp', $icmp, $echo, at($site, 0));
  cast('forwarded dns', $udp, $question, at($resolver, 53));
  cast('forwarded udp6', $udp6, 'leak', at6($site6, 9133));
}

sub all_kinds {
  cast('udp', $udp, 'leak', at($site, 9101));
  cast('udp by device', $udp_device, 'leak', at($site, 9102));
  cast('udp by address', $udp_address, 'leak', at($site, 9103));
  cast('udp to a neighbour', $udp, 'leak', at($neighbour, 9104));
  cast('udp to a neighbour by device', $udp_device, 'leak', at($neighbour, 9115));
  cast('udp to a proxy', $udp, 'leak', at($proxy, 9105));
  cast('udp of the tunnels’ port', $udp, 'leak', at($site, 51820));
  cast('udp in fragments', $udp, 'leak' x 600, at($site, 9106));
  cast('broadcast', $udp_all, 'leak', at('255.255.255.255', 9107));
  cast('broadcast by device', sub { to_device($udp_all->()) }, 'leak', at('255.255.255.255', 9108));
  cast('multicast', $udp, 'leak', at('224.0.0.251', 5353));
  cast('multicast by address', $udp_address, 'leak', at('224.0.0.251', 5354));
  cast('multicast by device', $udp_group, 'leak', at('239.9.9.9', 9109));
  cast('dns', $udp, $question, at($resolver, 53));
  cast('dns by device', $udp_device, $question, at($neighbour, 53));
  dial('dns over tcp', $tcp->(), at($resolver, 53));
  dial('tcp', $tcp->(), at($site, 9110));
  dial('tcp by device', to_device($tcp->()), at($site, 9111));
  dial('tcp by address', to_address($tcp->()), at($site, 9112));
  dial('tcp to a proxy', $tcp->(), at($proxy, 51820));
  cast('icmp', $icmp, $echo, at($site, 0));
  cast('icmp by device', sub { to_device($icmp->()) }, $echo, at($neighbour, 0));
  cast('raw', $raw, whole(9113), at($site, 0));
  cast('frame', $frame, whole(9114), pack('S n i S C C a8', 17, 0x800, $index, 0, 0, 6, "\xff" x 6));
  cast('udp6', $udp6, 'leak', at6($site6, 9121));
  cast('udp6 by device', $udp6_device, 'leak', at6($site6, 9122));
  dial('tcp6', $tcp6->(), at6($site6, 9123));
  dial('tcp6 by device', to_device($tcp6->()), at6($site6, 9126));
  cast('icmp6', $icmp6, $echo6, at6($site6, 0));
  cast('link-local', $udp6, 'leak', at6('fe80::1', 9124, $index));
  cast('multicast6', $udp6, 'leak', at6('ff02::fb', 5353, $index));
  cast('multicast6 by device', $udp6_group, 'leak', at6('ff05::9', 9125));
  cast('icmp6 to all', $icmp6, $echo6, at6('ff02::1', 0, $index));
  # The kernel tells its neighbours what a program joins and leaves.
  my $joined = kept('igmp', $udp);
  my $membership = pack('a4a4i', inet_aton('239.9.9.8'), "\0" x 4, $index);
  setsockopt($joined, 0, $round % 2 ? $DROP4 : $ADD4, $membership);
  $tried{igmp}++;
  my $joined6 = kept('mld', $udp6);
  setsockopt($joined6, 41, $round % 2 ? $DROP6 : $ADD6, pack('a16 i', inet_pton(AF_INET6, 'ff05::8'), $index));
  $tried{mld}++;
}

sub report {
  open(my $out, '>', "$file.half") or die "$file: $!\n";
  printf $out '{"rounds":%d,"tried":{%s}}', $round, join(',', map { "\"$_\":$tried{$_}" } sort keys %tried);
  close($out);
  rename("$file.half", $file);
}

for (;; $round++) {
  if ($round % 50 == 0) { %keep = (); look() }
  @open = ();
  if ($behind) { from_behind() } else { all_kinds() }
  report();
  select(undef, undef, undef, 0.045);
}
