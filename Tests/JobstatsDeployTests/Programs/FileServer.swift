import CommandExecution

@testable import JobstatsDeploy

/// A real HTTP or HTTPS server on loopback (Python's), whose paths behave well or badly. It ends after a minute, or when
/// stopped.
///
/// | path | answer |
/// | --- | --- |
/// | `/whole` | the file, with ranges |
/// | `/cut` | the first request gets half of it, later ones go on where that ended |
/// | `/cut-no-ranges` | the first request gets half of it, later ones all of it whatever is asked for |
/// | `/busy` | status 503 once, then the file |
/// | `/hang` | a header, and then nothing |
/// | `/endless` | bytes without end and without a length |
/// | `/moved` | a redirection to `/whole` |
/// | `/to-file` | a redirection to a file of the host |
/// | `/to-http/PORT/REST` | a redirection to `/REST` of a server on that port that speaks HTTP |
struct FileServer {
    let port: Int
    private let scheme: String

    /// - Parameter certificate: the path of a certificate beside its key (see ``makeCertificate(in:)``); with it, the
    ///   server speaks HTTPS.
    init(serving file: String, certificate: String? = nil) async throws {
        scheme = certificate == nil ? "http" : "https"
        let result = try await LocalExecutor().run(
            Command("python3", ["-c", Self.program, file, certificate ?? ""], timeout: .seconds(30)))
        guard let port = Int(result.outputText.trimmed) else {
            throw ProgramProblem("no server: \(result.errorText)")
        }
        self.port = port
    }

    func url(_ path: String) -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// Makes a certificate for 127.0.0.1 that is its own authority, and gives its path.
    static func makeCertificate(in folder: String) async throws -> String {
        let path = "\(folder)/certificate"
        let result = try await LocalExecutor().run(
            Command(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "\(path).key",
                    "-out", path,
                ], timeout: .seconds(30)))
        guard result.succeeded else { throw ProgramProblem("no certificate: \(result.errorText)") }
        return path
    }

    /// How many requests there were for a path.
    func count(_ path: String) async throws -> Int {
        Int(try await ask("/count\(path)")) ?? -1
    }

    func stop() async { _ = try? await ask("/quit") }

    private func ask(_ path: String) async throws -> String {
        try await LocalExecutor().run(Command("curl", ["-s", "-k", "--noproxy", "*", url(path)])).outputText.trimmed
    }

    /// The parent prints the port and ends; the child serves.
    private static let program = """
        import collections, http.server, os, signal, ssl, sys, threading
        data = open(sys.argv[1], 'rb').read()
        seen = collections.Counter()

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words): pass

            def give(self, status, body, *headers):
                self.send_response(status)
                for name, value in headers: self.send_header(name, value)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if self.path.startswith('/count'):
                    return self.give(200, str(seen[self.path[6:]]).encode())
                if self.path == '/quit':
                    self.give(200, b'')
                    os._exit(0)
                seen[self.path] += 1
                first = seen[self.path] == 1
                range = self.headers.get('Range')
                start = int(range.split('=')[1].split('-')[0]) if range else 0
                if self.path == '/moved':
                    return self.give(302, b'', ('Location', '/whole'))
                if self.path == '/to-file':
                    return self.give(302, b'', ('Location', 'file:///etc/hostname'))
                if self.path.startswith('/to-http/'):
                    return self.give(302, b'', ('Location', 'http://127.0.0.1:' + self.path[9:]))
                if self.path == '/busy' and first:
                    return self.give(503, b'')
                if self.path == '/hang':
                    self.send_response(200)
                    self.send_header('Content-Length', '1000')
                    self.end_headers()
                    self.wfile.flush()
                    signal.pause() if False else threading.Event().wait(60)
                    return
                if self.path == '/endless':
                    self.send_response(200)
                    self.end_headers()
                    while True: self.wfile.write(bytes(65536))
                if self.path.startswith('/cut') and first:
                    self.send_response(200)
                    self.send_header('Content-Length', str(len(data)))
                    self.end_headers()
                    self.wfile.write(data[:len(data) // 2])
                    self.wfile.flush()
                    return self.connection.close()
                if self.path not in ('/whole', '/cut', '/cut-no-ranges', '/busy'):
                    return self.give(404, b'')
                if start and self.path != '/cut-no-ranges':
                    return self.give(206, data[start:], ('Content-Range', f'bytes {start}-{len(data) - 1}/{len(data)}'))
                self.give(200, data)

        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        if sys.argv[2]:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[2], sys.argv[2] + '.key')
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_port, flush=True)
        if os.fork(): os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2): os.dup2(null, descriptor)
        os.setsid()
        signal.alarm(60)
        server.serve_forever()
        """
}
