#!/bin/bash
# The program of the virtual machine: the whole network in namespaces, the servers' tunnels, then guest.ts in the client's.
set -eu
printf '{"topic":"machine","kernel":"%s","uptime":%s}\n' "$(uname -r)" "$(cut -d' ' -f1 /proc/uptime)"
mkdir -p /etc/netns
cp -a etc/. /etc/netns/
./network.sh
for server in vpn1 vpn2 vpn3 comp1; do
  # The console is slow: it gets what failed.
  ip netns exec "$server" bash -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; wg-quick up wg0' >/run/said 2>&1 ||
    { cat /run/said >&2; exit 1; }
done
ip netns exec inet perl site.pl 203.0.113.80 &
exec ip netns exec client node guest.mjs
