#!/usr/bin/env bash
# The client's side of the network. Written by scripts/wgnet-setup.ts.
#
#   setup.sh [up]     tunnels, tables and rules; run again at any time, it mends what differs
#   setup.sh down     all of it away again; the machine is then an ordinary, unprotected one
#
#   any program -> wg0 (inside the current path) -> wgnet1 | wgnet2 | … -> the real interface
#
# Fail closed: from the first step on, nothing leaves a real interface but the wgnetN tunnels' own
# UDP to the proxies named here. Should any later step fail, that stays so; only `down` opens it.
set -euo pipefail

PATHS=({{#paths}} {{interface}}{{/paths}} )
RESOLVER={{dns}}
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
SAVED_RESOLV=/run/comps-resolv.conf

WG0_TABLE=51820  # where unmarked packets look: wg0
PATH_TABLE=51821 # where wg0's own packets look: the current path; migration changes its default route
LAST=4294967295  # the worst metric there is

# A second layer beside the routes, for when somebody flushes those.
close_the_door() {
  nft -f - <<'RULES'
table inet comps
delete table inet comps
table inet comps {
	# The tunnels' replies get the mark that the tunnels send with (src_valid_mark): their way back is looked up where
	# their way out was, so also while wg0 is not there yet, and no first handshake is thrown away for it.
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
{{#paths}}
		{{family}} saddr {{address}} udp sport {{port}} meta mark set {{wgnetMark}}
{{/paths}}
		iifname "wgnet*" udp sport {{port}} meta mark set {{wg0Mark}}
	}
	chain output {
		type filter hook output priority filter; policy drop;
		oifname "lo" accept
		oifname "wg0" meta mark != { {{wg0Mark}}, {{wgnetMark}} } accept
		oifname "wgnet*" meta mark != {{wgnetMark}} accept
{{#paths}}
		meta mark {{wgnetMark}} {{family}} daddr {{address}} udp dport {{port}} accept
{{/paths}}
{{#ipv6Endpoints}}
		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept
{{/ipv6Endpoints}}
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		oifname "wg0" accept
	}
}
RULES
}

families() {
  echo -4
  if [ -e /proc/net/if_inet6 ]; then echo -6; fi
}

# ensure_rule FAMILY PREFERENCE SELECTOR…: in this place and no other, added only where it is missing.
ensure_rule() {
  local family=$1 preference=$2 said
  shift 2
  said=$(ip "$family" rule add pref "$preference" "$@" 2>&1) && return
  case $said in *'File exists'*) ;; *) echo "setup.sh: ip $family rule add $*: $said" >&2; return 1 ;; esac
}

# Without a route of its own a table falls through to main, past the tunnels: so the last one refuses.
refuse_by_default() {
  local family table
  for family in $(families); do
    for table in $WG0_TABLE $PATH_TABLE; do
      ip "$family" route replace unreachable default metric $LAST table $table
    done
    ensure_rule "$family" 100 fwmark {{wgnetMark}} lookup main
    ensure_rule "$family" 101 fwmark {{wg0Mark}} lookup $PATH_TABLE
    ensure_rule "$family" 102 not fwmark {{wg0Mark}} lookup $WG0_TABLE
  done
}

# In a container these are read-only and come from the compose file.
ensure_sysctl() {
  local file=/proc/sys/${1//./\/} is
  is=$(cat "$file")
  if [ "$is" = "$2" ] || { echo "$2" >"$file"; } 2>/dev/null; then return; fi
  echo "setup.sh: $1 is $is, $2 is needed and it cannot be set here; next: sysctl -w $1=$2 on the host, or compose's sysctls" >&2
  return 1
}

# Replies arrive on any wgnet while the unmarked route back points to wg0: strict filtering drops them.
accept_replies() {
  ensure_sysctl net.ipv4.conf.all.rp_filter 2
  ensure_sysctl net.ipv4.conf.all.src_valid_mark 1
}

# Asked of ip, not of /sys, which in a namespace may be another's.
is_there() { ip link show dev "$1" >/dev/null 2>&1; }
tunnels() { ip -o link show | sed -nE 's/^[0-9]+: (wg0|wgnet[0-9]+)[:@].*/\1/p'; }

# setting FILE NAME: the value of a line `NAME = value`
setting() { sed -n "s/^$2 *= *//p" "$1"; }

bring_up() {
  local name=$1 conf=$HERE/$1.conf wanted address
  if ! is_there "$name"; then
    quietly wg-quick up "$conf"
    return
  fi
  # Running already: only what differs changes, and no session is cut.
  wg syncconf "$name" <(wg-quick strip "$conf")
  wanted=$(setting "$conf" Address)
  ip -4 address replace "$wanted" dev "$name"
  for address in $(ip -4 -o address show dev "$name" | awk '{ print $4 }'); do
    # A /32 is printed with or without its length, as the tools please.
    [ "${address%/32}" = "${wanted%/32}" ] || ip -4 address delete "$address" dev "$name"
  done
  ip link set "$name" mtu "$(setting "$conf" MTU)" up
}

# Says nothing unless it fails, and then everything.
quietly() {
  local said
  said=$("$@" 2>&1) || { echo "setup.sh: $* failed:" >&2; echo "$said" >&2; return 1; }
}

# Tunnels of an earlier, larger network.
drop_leftovers() {
  local name
  for name in $(tunnels); do
    case " ${PATHS[*]} wg0 " in *" $name "*) ;; *) ip link delete "$name" ;; esac
  done
}

# Three layers: the current path, every path as a standby, and the refusal from above.
lay_path_routes() {
  local i
  for i in "${!PATHS[@]}"; do
    ip -4 route replace default dev "${PATHS[$i]}" metric $((1001 + i)) table $PATH_TABLE
  done
  # `up` while migration runs leaves it the path it is on.
  # (No grep -q: it closes the pipe early, and pipefail takes that for a failure.)
  if ! ip -4 route show table $PATH_TABLE | grep -E '^default dev wgnet[0-9]+ scope link ?$' >/dev/null; then
    ip -4 route replace default dev "${PATHS[0]}" table $PATH_TABLE
  fi
}

lay_wg0_route() { ip -4 route replace default dev wg0 table $WG0_TABLE; }

# Written in place: in a container this file is a mount and cannot be replaced.
use_resolver() {
  [ -e "$SAVED_RESOLV" ] || cp /etc/resolv.conf "$SAVED_RESOLV" 2>/dev/null || : >"$SAVED_RESOLV"
  echo "nameserver $RESOLVER" >/etc/resolv.conf
}

up() {
  close_the_door
  refuse_by_default
  accept_replies
  drop_leftovers
  local name
  for name in "${PATHS[@]}"; do bring_up "$name"; done
  # Before wg0, whose first handshake already goes this way.
  lay_path_routes
  bring_up wg0
  lay_wg0_route
  use_resolver
}

down() {
  local name family preference
  for name in $(tunnels); do ip link delete "$name"; done
  for family in $(families); do
    for preference in 100 101 102; do
      while ip "$family" rule delete pref "$preference" 2>/dev/null; do :; done
    done
    ip "$family" route flush table $WG0_TABLE 2>/dev/null || true
    ip "$family" route flush table $PATH_TABLE 2>/dev/null || true
  done
  if [ -e "$SAVED_RESOLV" ]; then cat "$SAVED_RESOLV" >/etc/resolv.conf && rm -f "$SAVED_RESOLV"; fi
  # Last, so that nothing slips out on the way.
  nft delete table inet comps 2>/dev/null || true
}

for tool in nft ip wg wg-quick awk; do
  command -v "$tool" >/dev/null || { echo "setup.sh: $tool is missing; next: apt-get install nftables iproute2 wireguard-tools mawk" >&2; exit 1; }
done
case ${1:-up} in
  up) up ;;
  down) down ;;
  *) echo "usage: setup.sh [up|down]" >&2; exit 2 ;;
esac
