internal import CommandExecution
internal import Glibc
internal import Synchronization

/// A GET over plain HTTP/1.0, for a Prometheus in the same network. HTTP/1.0 has no chunks, and the answer ends with the
/// connection.
enum PlainHTTP {
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]
    }

    /// The longest answer that is read, 256 MiB: the targets of 10,000 nodes are some 30 MB.
    static let limit = 256 << 20

    /// Asks in a thread of its own, since looking up a name cannot be bounded otherwise; an abandoned thread ends by itself.
    static func get(
        host: String, port: UInt16, path: String, timeout: Duration
    ) async throws(PrometheusError) -> Answer {
        let promise = OneAnswer()
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let hasThread = DetachedThread.start(named: "prometheus") {
            promise.fulfil(Result { () throws(PrometheusError) in try ask(host, port, path, until: deadline) })
        }
        guard hasThread else { throw PrometheusError(.notReachable, "the system gives no thread; end other processes") }
        let timer = Task {
            if (try? await Task.sleep(for: timeout + .milliseconds(200))) != nil {
                promise.fulfil(.failure(late(host, port, timeout)))
            }
        }
        defer { timer.cancel() }
        return try await promise.value().get()
    }

    private static func late(_ host: String, _ port: UInt16, _ timeout: Duration) -> PrometheusError {
        PrometheusError(.timedOut, "\(host):\(port) gave no whole answer within \(timeout)")
    }

    private static func ask(
        _ host: String, _ port: UInt16, _ path: String, until deadline: ContinuousClock.Instant
    ) throws(PrometheusError) -> Answer {
        let descriptor = try connect(host, port, until: deadline)
        defer { close(descriptor) }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        let request = "GET \(path) HTTP/1.0\r\nHost: \(shownHost):\(port)\r\nAccept: application/json\r\n\r\n"
        var rest = Array(request.utf8)[...]
        while !rest.isEmpty {
            try wait(descriptor, POLLOUT, host, port, until: deadline)
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw broken(host, port) }
            } else {
                rest = rest.dropFirst(count)
            }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            try wait(descriptor, POLLIN, host, port, until: deadline)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw broken(host, port) }
                continue
            }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw PrometheusError(.malformed, "\(host):\(port) answers with more than \(limit >> 20) MiB")
            }
        }
        return try parse(bytes, host, port)
    }

    private static func parse(_ bytes: [UInt8], _ host: String, _ port: UInt16) throws(PrometheusError) -> Answer {
        let end = Array("\r\n\r\n".utf8)
        var index = 0
        while index + end.count <= bytes.count, !bytes[index..<(index + end.count)].elementsEqual(end) { index += 1 }
        let head = String(decoding: bytes.prefix(index), as: UTF8.self).split(separator: "\r\n")
        let words = head.first?.split(separator: " ") ?? []
        guard index + end.count <= bytes.count, words.count >= 2, words[0].hasPrefix("HTTP/"),
            let status = Int(words[1])
        else {
            throw PrometheusError(.malformed, "what answers at \(host):\(port) does not speak HTTP, or stopped early")
        }
        let body = Array(bytes[(index + end.count)...])
        let length = head.dropFirst().compactMap { line -> Int? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
            return Int(parts[1].filter { $0 != " " })
        }.first
        if let length, body.count != length {
            throw PrometheusError(
                .timedOut, "the answer of \(host):\(port) is cut off after \(body.count) of \(length) bytes")
        }
        return Answer(status: status, body: body)
    }

    /// Connects to the first address of the host that takes the connection.
    private static func connect(
        _ host: String, _ port: UInt16, until deadline: ContinuousClock.Instant
    ) throws(PrometheusError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw PrometheusError(
                .notReachable, "the name \(host) cannot be resolved: \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var reason = ECONNREFUSED
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let kind = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let descriptor = socket(address.ai_family, kind, address.ai_protocol)
            guard descriptor >= 0 else { continue }
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return descriptor }
            reason = errno
            if reason == EINPROGRESS {
                do throws(PrometheusError) { try wait(descriptor, POLLOUT, host, port, until: deadline) } catch {
                    close(descriptor)
                    throw error
                }
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &size)
                if reason == 0 { return descriptor }
            }
            close(descriptor)
        }
        throw PrometheusError(.notReachable, "\(host):\(port) is not reachable: \(String(cString: strerror(reason)))")
    }

    private static func wait(
        _ descriptor: Int32, _ events: Int32, _ host: String, _ port: UInt16, until deadline: ContinuousClock.Instant
    ) throws(PrometheusError) {
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero else { throw PrometheusError(.timedOut, "\(host):\(port) gave no whole answer in time") }
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
            let count = poll(&entry, 1, Int32(min(milliseconds, 60_000)))
            if count > 0 { return }
        }
    }

    private static func broken(_ host: String, _ port: UInt16) -> PrometheusError {
        PrometheusError(.notReachable, "the connection to \(host):\(port) broke: \(String(cString: strerror(errno)))")
    }
}

/// An answer that comes once, from whoever is first, for one reader.
private final class OneAnswer: Sendable {
    typealias Value = Result<PlainHTTP.Answer, PrometheusError>
    private struct State {
        var value: Value?
        var reader: CheckedContinuation<Value, Never>?
        var isTaken = false
    }
    private let state = Mutex(State())

    func fulfil(_ value: Value) {
        let reader = state.withLock { state -> CheckedContinuation<Value, Never>? in
            guard state.value == nil, !state.isTaken else { return nil }
            state.value = value
            defer { if state.reader != nil { state.isTaken = true } }
            return state.reader
        }
        reader?.resume(returning: value)
    }

    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state -> Value? in
                if state.value == nil { state.reader = continuation } else { state.isTaken = true }
                return state.value
            }
            if let value { continuation.resume(returning: value) }
        }
    }
}
