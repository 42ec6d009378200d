import Glibc
import Synchronization

/// A small HTTP/1.1 server on loopback that remembers the request lines it got. It ends with its process or `stop()`.
final class HTTPServer: Sendable {
    let port: Int
    private let listener: CInt
    private let answer: String
    private let seen = Mutex<[String]>([])

    /// The request lines so far: `GET /metrics HTTP/1.1`; the empty text for a connection without one.
    var requests: [String] { seen.withLock { $0 } }

    /// Starts to listen on a free port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - status: the status line's code and words.
    ///   - headers: more header lines.
    ///   - body: the body of every answer.
    init(status: String = "200 OK", headers: [String] = [], body: String) throws {
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        port = try Loopback.bindFreePort(listener)
        guard listen(listener, 64) == 0 else { throw Loopback.Failure(number: errno) }
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
        answer = (lines + ["", body]).joined(separator: "\r\n")
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<HTTPServer>.fromOpaque(argument).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    /// Stops to listen.
    func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            let request = Loopback.read(connection, until: "\r\n\r\n")
            seen.withLock { $0.append(request.split(separator: "\r\n").first.map { String($0) } ?? "") }
            Loopback.write(connection, answer)
            close(connection)
        }
        close(listener)
    }
}

/// Plain connections on 127.0.0.1, each bounded to a few seconds.
enum Loopback {
    struct Failure: Error { let number: CInt }

    /// Binds a socket to a free port and returns that.
    static func bindFreePort(_ descriptor: CInt) throws -> Int {
        var address = self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard result == 0 else { throw Failure(number: errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// A port that was free just now.
    static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return try bindFreePort(descriptor)
    }

    /// The body of what a server answers to a GET with status 200, or nil.
    static func get(_ path: String, port: Int) -> String? {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = self.address(port)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        write(descriptor, "GET \(path) HTTP/1.0\r\nHost: localhost\r\n\r\n")
        let answer = read(descriptor, until: nil)
        guard answer.hasPrefix("HTTP/1.0 200"), let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).last else {
            return nil
        }
        return String(body)
    }

    static func write(_ descriptor: CInt, _ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Reads until the mark or the end, 4 MiB at most.
    static func read(_ descriptor: CInt, until mark: String?) -> String {
        var timeout = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 4 << 20 {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer[..<count]
            if let mark, String(decoding: bytes, as: UTF8.self).contains(mark) { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
