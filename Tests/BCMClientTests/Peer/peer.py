"""An HTTPS server that behaves as it is told: the peer of BCMClient's tests. Not a BCM.

Usage: peer.py DIRECTORY

Serves until the process that started it ends. Each file listeners.json in a directory below DIRECTORY is a list of
listeners: name, behaviour, certificate, key, and optionally authority (clients must show a certificate signed by
it), maximum ("TLSv1.2"), body (a file), status. Beside it, NAME.port gets a listener's port, and NAME.events a
line for each event: connection, handshake-failed, resumed (a TLS session of an earlier connection), request PATH, closed. A file named "stop" there ends them.
"""

import gzip
import json
import os
import socket
import ssl
import sys
import threading
import time
import traceback


class Listener:
    def __init__(self, directory, options):
        self.options = options
        self.behaviour = options["behaviour"]
        self.events = os.open(
            os.path.join(directory, options["name"] + ".events"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.context = None
        if "certificate" in options:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options["certificate"], options["key"])
            if options.get("authority"):
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(options["authority"])
            if options.get("maximum"):
                version = {"TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.2": ssl.TLSVersion.TLSv1_2}[options["maximum"]]
                self.context.set_ciphers("ALL:@SECLEVEL=0")
                self.context.minimum_version = ssl.TLSVersion.TLSv1
                self.context.maximum_version = version
        self.body = b"[]"
        if options.get("body"):
            with open(options["body"], "rb") as file:
                self.body = file.read()
        path = os.path.join(directory, options["name"] + ".port")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(str(self.socket.getsockname()[1]))
        os.rename(path + ".new", path)

    def note(self, text):
        os.write(self.events, (text + "\n").encode())

    def run(self):
        if self.behaviour == "hang-connect":
            # Fills the queue of connections, so that a further one gets no answer at all.
            self.socket.listen(0)
            self.fillers = [socket.socket() for _ in range(4)]
            for filler in self.fillers:
                filler.setblocking(False)
                filler.connect_ex(self.socket.getsockname())
            return
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, raw):
        self.note("connection")
        connection = raw
        try:
            if self.behaviour == "hang-handshake":
                while raw.recv(4096):
                    pass
                return
            if self.behaviour == "garbage":
                raw.sendall(b"220 mail.example ESMTP\r\n" * 4)
                return
            if self.context:
                try:
                    connection = self.context.wrap_socket(raw, server_side=True)
                except OSError as error:
                    self.note("handshake-failed " + type(error).__name__)
                    return
                if connection.session_reused:
                    self.note("resumed")
            self.answer(connection)
        except OSError:
            pass
        finally:
            self.note("closed")
            try:
                connection.close()
            except OSError:
                pass

    def answer(self, connection):
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                chunk = connection.recv(65536)
                if not chunk:
                    return
                buffer += chunk
            head, buffer = buffer.split(b"\r\n\r\n", 1)
            self.note("request " + head.split(b" ")[1].decode())
            if not self.respond(connection, head):
                return

    def respond(self, connection, head):
        status, headers, body = self.options.get("status", 200), [], self.body
        behaviour = self.behaviour
        if behaviour == "hang-headers":
            return self.hang(connection)
        if behaviour == "reset":
            return False
        if behaviour == "redirect":
            status, headers = 302, ["Location: https://other.example:8081/rest/v1/device"]
        if behaviour == "garbage-http":
            connection.sendall(b"what?\r\n\r\n")
            return False
        if behaviour == "headers-without-end":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for number in range(100000):
                connection.sendall(b"X-%d: " % number + b"y" * 1000 + b"\r\n")
            return False
        if behaviour == "gzip":
            body = gzip.compress(body)
            headers = ["Content-Encoding: gzip"]
        if behaviour == "chunked":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in range(0, len(body), 7):
                piece = body[start:start + 7]
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
            return True
        if behaviour == "endless":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            piece = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
            while True:
                connection.sendall(piece)
        if behaviour == "chunked-truncated":
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"ho\r\n")
            return False
        if behaviour == "slow":
            time.sleep(0.05)
        length = len(body)
        if behaviour in ("truncated", "hang-body"):
            length += 1000
        lines = ["HTTP/1.1 %d X" % status, "Content-Type: application/json", "Content-Length: %d" % length] + headers
        if behaviour == "close":
            lines.append("Connection: close")
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        if behaviour == "hang-body":
            return self.hang(connection)
        return behaviour not in ("truncated", "close", "close-silently")

    def hang(self, connection):
        """Waits for the client to give up, and notes it."""
        while connection.recv(4096):
            pass
        return False


def start(directory):
    with open(os.path.join(directory, "listeners.json"), encoding="utf-8") as file:
        listeners = [Listener(directory, options) for options in json.load(file)]
    for listener in listeners:
        threading.Thread(target=listener.run, daemon=True).start()
    return listeners


def main():
    root = sys.argv[1]
    parent = os.getppid()
    running = {}
    while os.getppid() == parent:
        for name in os.listdir(root):
            directory = os.path.join(root, name)
            if name not in running and os.path.exists(os.path.join(directory, "listeners.json")):
                try:
                    running[name] = start(directory)
                except Exception:  # Told to the test, which waits for the ports.
                    running[name] = []
                    with open(os.path.join(directory, "failure"), "w", encoding="utf-8") as file:
                        file.write(traceback.format_exc())
            if running.get(name) and os.path.exists(os.path.join(directory, "stop")):
                for listener in running[name]:
                    # Ends a thread that waits in accept, which closing alone does not.
                    listener.socket.shutdown(socket.SHUT_RDWR)
                    listener.socket.close()
                running[name] = []
        time.sleep(0.005)


main()
