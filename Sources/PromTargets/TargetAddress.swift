/// What Prometheus connects to: a host and a port, written `host:port`.
public struct TargetAddress: Sendable, Hashable, CustomStringConvertible {
    /// The host: a name (RFC 1123), an IPv4 address, or an IPv6 address without brackets.
    public let host: String
    /// The TCP port, never 0.
    public let port: UInt16

    /// Creates an address.
    ///
    /// - Throws: ``PromTargetsError/Code/invalidAddress`` when the host is neither a name nor an address, or the port
    ///   is not 1 to 65535.
    public init(host: String, port: Int) throws(PromTargetsError) {
        // A NUL would end a C string early: such a text is neither a name nor an address.
        guard !host.utf8.contains(0), HostName.isValid(host) || HostName.isIPv4(host) || HostName.isIPv6(host) else {
            throw Self.refusal(host, "its host is neither a host name nor an IP address")
        }
        guard let port = UInt16(exactly: port), port > 0 else {
            throw Self.refusal("\(host):\(port)", "its port is not between 1 and 65535")
        }
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, `192.0.2.1:port` or `[2001:db8::1]:port`.
    ///
    /// - Throws: ``PromTargetsError/Code/invalidAddress`` for anything else, a scheme or a path included.
    public init(parsing text: String) throws(PromTargetsError) {
        guard let colon = text.lastIndex(of: ":") else { throw Self.refusal(text, "it has no port") }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.utf8.count), digits.first != "0", digits.allSatisfy({ ("0"..."9").contains($0) }),
            let port = Int(digits)
        else { throw Self.refusal(text, "its port is not between 1 and 65535") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard !host.utf8.contains(0), HostName.isIPv6(host) else {
                throw Self.refusal(text, "what stands in brackets is not an IPv6 address")
            }
        } else if host.contains(":") {
            throw Self.refusal(text, "an IPv6 address must stand in brackets")
        }
        try self.init(host: host, port: port)
    }

    /// `dgx-01:9100`, or `[2001:db8::1]:9100`.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func refusal(_ text: String, _ reason: String) -> PromTargetsError {
        PromTargetsError(
            .invalidAddress, reason: "\(JSONText.quoted(text)) is no target: \(reason)",
            remedy: "write HOST:PORT, an IPv6 address in brackets")
    }
}
