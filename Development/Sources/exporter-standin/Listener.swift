import Glibc

/// Answers HTTP requests one after the other: scrapes are few and the answer is made in a millisecond.
struct Listener {
    private let descriptor: Int32

    struct Failure: Error { let text: String }

    /// Listens; an empty address stands for all.
    init(address: String, port: Int) throws(Failure) {
        let candidates = address.isEmpty ? ["::", "0.0.0.0"] : [address == "localhost" ? "127.0.0.1" : address]
        var reason = ""
        for candidate in candidates {
            let family = candidate.contains(":") ? AF_INET6 : AF_INET
            let made = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard made >= 0 else {
                reason = String(cString: strerror(errno))
                continue
            }
            var yes: Int32 = 1
            setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            if Self.bind(made, family, candidate, port) && listen(made, 64) == 0 {
                descriptor = made
                return
            }
            reason = String(cString: strerror(errno))
            close(made)
        }
        throw Failure(text: "cannot listen at \(address):\(port): \(reason)")
    }

    private static func bind(_ descriptor: Int32, _ family: Int32, _ address: String, _ port: Int) -> Bool {
        if family == AF_INET6 {
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = in_port_t(UInt16(port).bigEndian)
            guard inet_pton(AF_INET6, address, &target.sin6_addr) == 1 else { return false }
            return bind(descriptor, target)
        }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(UInt16(port).bigEndian)
        guard inet_pton(AF_INET, address, &target.sin_addr) == 1 else { return false }
        return bind(descriptor, target)
    }

    private static func bind<Address>(_ descriptor: Int32, _ address: Address) -> Bool {
        let size = socklen_t(MemoryLayout<Address>.size)
        return withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(descriptor, $0, size) == 0 }
        }
    }

    /// Serves until the process ends; the closure gives the body for a path, or nil where there is none.
    func serve(_ body: (String) -> (type: String, text: String)?) -> Never {
        while true {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else {
                // Out of descriptors, say: no reason to spin.
                if errno != EINTR && errno != ECONNABORTED { usleep(100_000) }
                continue
            }
            // Someone who connects and says nothing must not keep the next scrape waiting for long.
            var limit = timeval(tv_sec: 2, tv_usec: 0)
            let size = socklen_t(MemoryLayout<timeval>.size)
            setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
            setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
            if let path = Self.requestedPath(connection) { Self.answer(connection, body(path)) }
            close(connection)
        }
    }

    private static func requestedPath(_ connection: Int32) -> String? {
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while request.count < 16384 {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            request += buffer[..<count]
            if request.suffix(4) == [13, 10, 13, 10] { break }
        }
        let line = String(decoding: request.prefix { $0 != 13 }, as: UTF8.self).split(separator: " ")
        guard line.count == 3, line[0] == "GET" else { return "" }
        return String(line[1].prefix { $0 != "?" })
    }

    private static func answer(_ connection: Int32, _ body: (type: String, text: String)?) {
        let text = body?.text ?? "404 page not found\n"
        var answer = "HTTP/1.1 \(body == nil ? "404 Not Found" : "200 OK")\r\n"
        answer += "Content-Type: \(body?.type ?? "text/plain; charset=utf-8")\r\nContent-Length: \(text.utf8.count)\r\n"
        answer += "Connection: close\r\n\r\n"
        let bytes = Array((answer + text).utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            done += count
        }
        shutdown(connection, Int32(SHUT_WR))
    }
}
