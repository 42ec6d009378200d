"""Runs a program on a terminal of its own and talks to it; prints what the terminal showed and how it ended.

usage: on-terminal.py COLUMNS PROGRAM ARGUMENT... < SCRIPT

Each line of the script is one of
  expect TEXT    waits until the terminal shows the text after what was expected before
  type TEXT      types a line
  press KEYS     types without a line end; ^C and ^D are the control keys
  file PATH      waits until the file is there
  hang up        takes the terminal away
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT = 60


def main():
    columns = int(sys.argv[1])
    script = [line.rstrip("\n") for line in sys.stdin]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown, seen = b"", 0

    def read(seconds):
        nonlocal shown
        if not select.select([terminal], [], [], seconds)[0]:
            return True
        try:
            more = os.read(terminal, 65536)
        except OSError:
            return False
        shown += more
        return bool(more)

    def wait(condition, what):
        deadline = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > deadline or not read(0.05) and not condition():
                sys.stdout.write(shown.decode("utf-8", "replace"))
                sys.exit("never came: " + what)

    for line in script:
        verb, _, text = line.partition(" ")
        if verb == "expect":
            wait(lambda: shown.find(text.encode(), seen) >= 0, text)
            seen = shown.find(text.encode(), seen) + len(text.encode())
        elif verb == "type":
            os.write(terminal, text.encode() + b"\n")
        elif verb == "press":
            os.write(terminal, text.replace("^C", "\x03").replace("^D", "\x04").encode())
        elif verb == "file":
            wait(lambda: os.path.exists(text), text)
        elif verb == "hang":
            os.close(terminal)
            break
    else:
        deadline = time.monotonic() + LIMIT
        while read(0.1):
            if time.monotonic() > deadline:
                sys.stdout.write(shown.decode("utf-8", "replace"))
                os.kill(pid, 9)
                sys.exit("it did not end")
    deadline = time.monotonic() + LIMIT
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, 9)
        time.sleep(0.01)
    sys.stdout.write(shown.decode("utf-8", "replace"))
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    sys.stdout.write("\nended with %d\n" % code)


main()
