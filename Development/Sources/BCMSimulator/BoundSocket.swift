import Glibc

/// Sockets bound to a numeric address.
enum BoundSocket {
    /// Why there is no socket.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A socket bound to the address and port; the caller owns it.
    static func make(address: String, port: Int) throws(Failure) -> Int32 {
        try withAddress(address, port) { pointer, size, family throws(Failure) in
            let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw failure(address, port) }
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            guard bind(descriptor, pointer, size) == 0 else {
                let error = failure(address, port)
                close(descriptor)
                throw error
            }
            return descriptor
        }
    }

    /// A socket that tries to connect and does not wait; nil when there is none to be had.
    static func connecting(to address: String, port: Int) -> Int32? {
        try? withAddress(address, port) { pointer, size, family throws(Failure) in
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
            let descriptor = socket(family, kind, 0)
            guard descriptor >= 0 else { throw failure(address, port) }
            _ = connect(descriptor, pointer, size)
            return descriptor
        }
    }

    private static func failure(_ address: String, _ port: Int) -> Failure {
        Failure(description: "\(address):\(port): \(String(cString: strerror(errno)))")
    }

    private static func withAddress<Result>(
        _ address: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t, Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        func call<Address>(_ target: Address, _ family: Int32) throws(Failure) -> Result {
            try withUnsafePointer(to: target) { pointer throws(Failure) in
                try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer throws(Failure) in
                    try body(pointer, socklen_t(MemoryLayout<Address>.size), family)
                }
            }
        }
        var old = sockaddr_in()
        if inet_pton(AF_INET, address, &old.sin_addr) == 1 {
            old.sin_family = sa_family_t(AF_INET)
            old.sin_port = in_port_t(UInt16(port).bigEndian)
            return try call(old, AF_INET)
        }
        var new = sockaddr_in6()
        if inet_pton(AF_INET6, address, &new.sin6_addr) == 1 {
            new.sin6_family = sa_family_t(AF_INET6)
            new.sin6_port = in_port_t(UInt16(port).bigEndian)
            return try call(new, AF_INET6)
        }
        throw Failure(description: "\"\(address)\" is no numeric address")
    }
}
