/// A BCM head node as a client reaches it: a host name or address, and the port of its CMDaemon.
public struct HeadNode: Sendable, Hashable {
    /// The port CMDaemon serves HTTPS on unless the site changed it.
    public static let standardPort = 8081

    /// A host name, an IPv4 address, or an IPv6 address without brackets.
    public var host: String
    /// The port of CMDaemon's HTTPS interface.
    public var port: Int

    /// Creates a head node. Host and port are checked when a client is made with it.
    public init(host: String, port: Int = HeadNode.standardPort) {
        self.host = host
        self.port = port
    }

    /// Reads `name`, `name:port`, `192.0.2.1:port`, `::1` or `[::1]:port`.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for anything else.
    public init(parsing text: String, defaultPort: Int = HeadNode.standardPort) throws(BCMError) {
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("[") {
            guard let close = text.firstIndex(of: "]") else {
                throw Self.invalid("the head node \(quoted(text)) opens a bracket and does not close it")
            }
            host = text[text.index(after: text.startIndex)..<close]
            let rest = text[text.index(after: close)...]
            guard host.contains(":"), rest.isEmpty || rest.hasPrefix(":") else {
                throw Self.invalid("the head node \(quoted(text)) is not of the form [ADDRESS]:PORT")
            }
            if !rest.isEmpty { port = rest.dropFirst() }
        } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        var number = defaultPort
        if let port {
            guard let value = Int(port), port.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw Self.invalid("the port of the head node \(quoted(text)) is not a number")
            }
            number = value
        }
        self.init(host: String(host), port: number)
        try validate()
    }

    /// Checks that host and port can stand in a URL and can name a machine.
    package func validate() throws(BCMError) {
        guard (1...65535).contains(port) else {
            throw Self.invalid("the port \(port) of the head node \(quoted(host)) is not between 1 and 65535")
        }
        let bytes = host.utf8
        let isName = bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            default: false
            }
        }
        let isAddress = isIPv6 && isIPv6Address(host)
        guard (isName || isAddress), (1...253).contains(bytes.count), bytes.first != UInt8(ascii: "-"),
            bytes.first != UInt8(ascii: ".")
        else { throw Self.invalid("the head node \(quoted(host)) is neither a host name nor an address") }
    }

    /// Whether the host is written as an IPv6 address.
    var isIPv6: Bool { host.utf8.contains(UInt8(ascii: ":")) }

    /// The host as it stands in a URL.
    var urlHost: String { isIPv6 ? "[\(host)]" : host }

    private static func invalid(_ reason: String) -> BCMError {
        BCMError(
            .invalidConfiguration, reason: reason,
            remedy: "write a head node as a name or an address, with a port after a colon if it is not \(standardPort)")
    }
}

extension HeadNode: CustomStringConvertible {
    /// `head-a:8081`, or `[::1]:8081`.
    public var description: String { "\(urlHost):\(port)" }
}
