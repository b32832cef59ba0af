# Sends numbered UDP packets to an echo, so many at a time as are on their way (WINDOW), for SECONDS and until there were
# LEAST, then waits for the last ones: perl - ADDRESS SIZE WINDOW SECONDS LEAST. Prints {"sent":…,"back":…,"late":…}: `late` came after a later one.
use strict;
use warnings;
use Socket qw(:all);

my ($address, $size, $window, $seconds, $least) = @ARGV;
socket(my $udp, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
setsockopt($udp, SOL_SOCKET, SO_RCVBUF, 4 << 20);
connect($udp, pack_sockaddr_in(7, inet_aton($address))) or die "connect: $!\n";

my ($sent, $back, $late, $highest, $refused, %missing) = (0, 0, 0, -1, 0);
my $rest = "\0" x ($size - 28 - 4);
my $end = time() + $seconds;

# Takes what is there, and waits for it so long.
sub take {
  my ($wait) = @_;
  my $ready = '';
  vec($ready, fileno($udp), 1) = 1;
  return 0 unless select($ready, undef, undef, $wait);
  while (defined recv($udp, my $data, 2048, MSG_DONTWAIT)) {
    my $number = unpack('N', $data);
    next unless delete $missing{$number};
    $back++;
    if ($number < $highest) { $late++ } else { $highest = $number }
  }
  1;
}

while (time() < $end || $sent < $least) {
  if (keys(%missing) >= $window) {
    # A packet that is lost for good must not hold up all others.
    $window++ unless take(2);
    next;
  }
  if (defined send($udp, pack('N', $sent) . $rest, 0)) { $missing{$sent++} = 1 } else { $refused++; take(0.01) }
  take(0) if $sent % 8 == 0;
}
while (%missing) { last unless take(5) }
print qq({"sent":$sent,"back":$back,"late":$late,"refused":$refused}\n);
