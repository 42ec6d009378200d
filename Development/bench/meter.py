"""Runs a command and says what it took. Its output goes where this program's output goes.

usage: meter.py FILE COMMAND [ARGUMENT...]
Writes to FILE: seconds of wall time, of CPU in user mode, of CPU in the kernel, most resident memory in kB (as the kernel has
it at its end), most threads at once (looked at every 5 ms). Ends with the command's status.
"""
import os
import sys
import time


def threads_of(process):
    try:
        return len(os.listdir(f"/proc/{process}/task"))
    except OSError:
        return 0


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    start = time.monotonic()
    process = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
    threads = 0
    while True:
        threads = max(threads, threads_of(process))
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if ended:
            break
        time.sleep(0.005)
    wall = time.monotonic() - start
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"{wall:.3f} {usage.ru_utime:.3f} {usage.ru_stime:.3f} {usage.ru_maxrss} {threads}\n")
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
