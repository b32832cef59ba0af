#!/usr/bin/perl
# A way that takes time: `delay.pl NAME=MS...` makes a tun device NAME for each, and gives each packet that it is sent back
# through it MS milliseconds later, in their order. Says `ready`; at SIGTERM, how late it was, as JSON, and ends. (Linux's own netem
# is not in every kernel.)
use strict;
use warnings;
use Fcntl;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# TUNSETIFF with IFF_TUN | IFF_NO_PI.
use constant { TUNSETIFF => 0x400454ca, KIND => 0x1001, LONGEST => 65_536 };

my (@ways, $end);
$SIG{TERM} = sub { $end = 1 };
for my $word (@ARGV) {
  my ($name, $ms) = $word =~ /^(\w+)=([\d.]+)$/ or die "$word: expected NAME=MS\n";
  sysopen(my $tun, '/dev/net/tun', O_RDWR | O_NONBLOCK) or die "/dev/net/tun: $!\n";
  ioctl($tun, TUNSETIFF, pack('a16 s x22', $name, KIND)) or die "$name: $!\n";
  push @ways, { tun => $tun, delay => $ms / 1000, due => [], packets => [] };
}
my $all = '';
vec($all, fileno($_->{tun}), 1) = 1 for @ways;
$| = 1;
print "ready\n";

# Packets by how late they were written, in steps of 0.1 ms.
my (@late, $worst, $lost);
($worst, $lost) = (0, 0);
until ($end) {
  my $next;
  for my $way (@ways) {
    my $due = $way->{due}[0];
    $next = $due if defined $due && (!defined $next || $due < $next);
  }
  my $wait = defined $next ? $next - clock_gettime(CLOCK_MONOTONIC) : 1;
  my $found = select(my $readable = $all, undef, undef, $wait > 0 ? $wait : 0);
  for my $way (@ways) {
    my ($tun, $due, $packets) = @$way{qw(tun due packets)};
    if ($found > 0 && vec($readable, fileno($tun), 1)) {
      # Not without end: what is due is not to wait for what comes.
      for (1 .. 64) {
        last unless sysread($tun, my $packet, LONGEST);
        push @$due, clock_gettime(CLOCK_MONOTONIC) + $way->{delay};
        push @$packets, $packet;
      }
    }
    while (@$due && (my $by = clock_gettime(CLOCK_MONOTONIC) - $due->[0]) >= 0) {
      shift @$due;
      $lost++ unless defined syswrite($tun, shift @$packets);
      $late[$by * 10_000]++;
      $worst = $by if $by > $worst;
    }
  }
}

my $count = 0;
$count += $_ // 0 for @late;
my ($user, $system) = times;
# Seconds that a share of all packets was late at most.
sub within {
  my ($share, $sum) = (shift, 0);
  for my $step (0 .. $#late) {
    $sum += $late[$step] // 0;
    return ($step + 1) / 10_000 if $sum >= $share * $count;
  }
  return 0;
}
printf qq({"packets":%d,"lost":%d,"late":{"median":%.4f,"p99":%.4f,"most":%.4f},"processor":%.2f}\n),
  $count, $lost, within(0.5), within(0.99), $worst, $user + $system;
