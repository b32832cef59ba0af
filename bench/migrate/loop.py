"""Switching as the original does it, from Python: delete the route, add the next, sleep. loop.py PERIOD, in the network
namespace of the lab's client, the current path being wgnet1. Prints a line a switch: seconds since 1970 before and after it."""
import itertools
import sys
import time

from pyroute2 import IPRoute

TABLE = 51821
LINK = 253  # the scope that `ip route add` gives such a route

with IPRoute() as ip:
    paths = [ip.link_lookup(ifname=name)[0] for name in ("wgnet1", "wgnet2", "wgnet3")]
    for old, new in itertools.pairwise(itertools.cycle(paths)):
        began = time.time()
        ip.route("del", dst="default", oif=old, table=TABLE, scope=LINK)
        ip.route("add", dst="default", oif=new, table=TABLE, scope=LINK)
        print(f"{began:.6f} {time.time():.6f}", flush=True)
        time.sleep(float(sys.argv[1]))
