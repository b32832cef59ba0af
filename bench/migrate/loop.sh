#!/bin/bash
# Switching as the original does it: delete the route, add the next, sleep. loop.sh PERIOD, in the lab's client, the
# current path being wgnet1. Prints a line a switch: seconds since 1970 before and after it.
paths=(wgnet1 wgnet2 wgnet3)
at=0
while :; do
  next=$(((at + 1) % ${#paths[@]}))
  began=$EPOCHREALTIME
  ip route del default dev "${paths[at]}" table 51821
  ip -4 route add 0.0.0.0/0 dev "${paths[next]}" table 51821
  echo "$began $EPOCHREALTIME"
  at=$next
  sleep "$1"
done
