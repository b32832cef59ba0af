"""Reads records as the original's library and its users do: JSON a line, standard base64, a pcap reader. Prints a line a record."""
import base64
import io
import json
import sys

import dpkt

for line in open(sys.argv[1], encoding="ascii").read().splitlines():
    record = json.loads(line)
    packets = base64.standard_b64decode(record["packets"])
    assert base64.b64encode(packets).decode() == record["packets"], "padded standard base64"
    sent = received = size = 0
    clients = set()
    if packets:
        reader = dpkt.pcap.Reader(io.BytesIO(packets))
        for _, data in reader:
            ip = dpkt.ip.IP(data)
            source, target = (".".join(map(str, address)) for address in (ip.src, ip.dst))
            private = [address for address in (source, target) if address.startswith("10.")]
            clients.update(private)
            sent += source in private
            received += target in private
            size += ip.len
    row = {key: record[key] for key in ("url", "protocol", "final_url", "status", "visit", "attempt", "interface")}
    row |= {"sent": sent, "received": received, "size": size, "clients": sorted(clients)}
    row |= {"source": len(record["page_source"] or ""), "trace": len(record["http_trace"])}
    methods = {entry["message"]["message"]["method"] for entry in record["http_trace"]}
    row |= {"methods": sorted(methods), "totals": [record["packets_out"], record["packets_in"]]}
    print(json.dumps(row))
