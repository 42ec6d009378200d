"""What a check costs in Python: a new connection, the whole answer read, one node looked for.

usage: check_peer.py URL CA CERTIFICATE KEY NAME TIMES
Prints the CPU time of one check in milliseconds. A stand-in for the earlier Python monitor, which asked in this way.
"""
import json
import ssl
import sys
import time
import urllib.request

url, authority, certificate, key, name, times = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
start = time.process_time()
for _ in range(int(times)):
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:
        devices = json.load(answer)
    found = [device for device in devices if device["hostname"] == name]
    if len(found) != 1:
        sys.exit(f"{name} was found {len(found)} times")
print(f"{(time.process_time() - start) * 1000 / int(times):.3f}")
