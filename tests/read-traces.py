"""What others' tools read of our files, as JSON: RECORDS (json, base64, a pcap reader) or NPZ (numpy)."""
import base64
import io
import json
import socket
import sys

import dpkt
import numpy


def records(path):
    found = []
    with open(path, encoding="utf-8") as file:
        # As the original's library: no line may hold what splitlines takes for an end.
        for line in file.read().splitlines():
            record = json.loads(line)
            raw = base64.standard_b64decode(record["packets"])
            packets = []
            if raw:
                for time, bytes_ in dpkt.pcap.Reader(io.BytesIO(raw)):
                    ip = dpkt.ip.IP(bytes_)
                    out = socket.inet_ntoa(ip.src) == record["client_address"]
                    packets.append([round(time * 1e6), 1 if out else -1, ip.len, isinstance(ip.data, dpkt.udp.UDP)])
            found.append({"visit": record["visit"], "interface": record["interface"], "packets": packets})
    return found


def arrays(path):
    data = numpy.load(path)
    return {
        name: {"dtype": data[name].dtype.str, "shape": data[name].shape, "values": data[name].tolist()} for name in data
    }


json.dump(records(sys.argv[2]) if sys.argv[1] == "records" else arrays(sys.argv[2]), sys.stdout)
