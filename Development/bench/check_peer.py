"""What a look at BCM costs in Python: a new connection, the whole answer read, one node looked for.

usage: check_peer.py URL CA CERTIFICATE KEY NAME TIMES
Prints the CPU time of one look in milliseconds, the resident memory at the end and the most, in kB. A stand-in for the
earlier Python monitor, which asked in this way, but twice in each pass.
"""
import json
import resource
import ssl
import sys
import time
import urllib.request

url, authority, certificate, key, name, times = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
context.load_cert_chain(certificate, key)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
start = time.process_time()
for _ in range(int(times)):
    with opener.open(url, timeout=60) as answer:
        devices = json.load(answer)
    found = [device for device in devices if device["hostname"] == name]
    if len(found) != 1:
        sys.exit(f"{name} was found {len(found)} times")
each = (time.process_time() - start) * 1000 / int(times)
with open("/proc/self/statm", encoding="ascii") as file:
    resident = int(file.read().split()[1]) * resource.getpagesize() // 1024
print(f"{each:.3f} {resident} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")
