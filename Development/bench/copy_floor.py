"""The floor for target files: each file of a folder copied to a new name, flushed and renamed.

usage: copy_floor.py FROM TO
Prints milliseconds of wall time for one file.
"""
import os
import sys
import time

source, target = sys.argv[1:]
names = [name for name in os.listdir(source) if name.endswith(".json")]
contents = {name: open(os.path.join(source, name), "rb").read() for name in names}
start = time.monotonic()
for name, content in contents.items():
    new = os.path.join(target, name + ".new")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, os.path.join(target, name))
print(f"{(time.monotonic() - start) * 1000 / max(1, len(names)):.4f}")
