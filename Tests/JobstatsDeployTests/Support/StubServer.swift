import CommandExecution
import FoundationEssentials

@testable import JobstatsDeploy

/// A small HTTP server on the loopback address that gives prepared answers, and 404 for everything else. It ends with
/// the test, and by itself after two minutes.
final class StubServer: Sendable {
    let port: Int
    private let process: String
    private let folder: TemporaryFolder

    /// - Parameters:
    ///   - answers: status and body by path with query.
    ///   - authorization: the header that requests must carry; others get 401.
    init(_ answers: [String: (Int, String)], authorization: String? = nil) async throws {
        let folder = TemporaryFolder()
        let prepared = JSONNode.object(
            answers.sorted { $0.key < $1.key }.map {
                ($0.key, JSONNode(.array([.number($0.value.0), .text($0.value.1)])))
            })
        folder.write("answers.json", String(decoding: prepared.encoded(), as: UTF8.self))
        folder.write("server.py", Self.program)
        let result = try await LocalExecutor().run(
            Command("python3", ["\(folder.path)/server.py", "\(folder.path)/answers.json", authorization ?? ""]))
        let words = result.outputText.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let port = Int(words[0]) else {
            throw ResourceError("the server does not start: \(result.errorText)", remedy: "")
        }
        self.port = port
        process = String(words[1])
        self.folder = folder
    }

    func stop() async throws { _ = try await LocalExecutor().run(Command("kill", [process])) }

    /// Listens first, tells the port, and only then goes on in the background.
    private static let program = """
        import http.server, json, os, signal, sys
        answers = json.load(open(sys.argv[1]))
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = answers.get(self.path, [404, '{"message": "not found"}'])
                if sys.argv[2] and self.headers.get("Authorization") != sys.argv[2]:
                    status, body = 401, '{"message": "Invalid username or password"}'
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            def log_message(self, *words):
                pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        child = os.fork()
        if child:
            print(server.server_address[1], child, flush=True)
            os._exit(0)
        os.setsid()
        nothing = os.open("/dev/null", os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        signal.alarm(120)
        server.serve_forever()
        """
}
