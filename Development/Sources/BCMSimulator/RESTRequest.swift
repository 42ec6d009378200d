import FoundationEssentials

/// A request as far as the service looks at it.
struct RESTRequest: Sendable {
    var method: String
    var path: String
    var query: [String: String]
    var body: [UInt8]
    /// Name and password of HTTP basic authentication.
    var user: (name: String, password: String)?
    /// The value of the session's cookie.
    var session: String?
    /// Whether the answer may come compressed.
    var acceptsGzip = false

    init(method: String, target: String, body: [UInt8], headers: [(name: String, value: String)] = []) {
        self.method = method
        self.body = body
        for (name, value) in headers {
            switch name.lowercased() {
            case "authorization": user = Self.basic(value)
            case "cookie": session = Self.session(value)
            case "accept-encoding": acceptsGzip = value.lowercased().contains("gzip")
            default: break
            }
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        // A plus sign is a blank in the query alone.
        let decoded = Self.decode(
            Substring(path.split(separator: "+", omittingEmptySubsequences: false).joined(separator: "%2B")))
        self.path = decoded.count > 1 && decoded.hasSuffix("/") ? String(decoded.dropLast()) : decoded
        query = [:]
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Self.decode(sides[0])] = sides.count > 1 ? Self.decode(sides[1]) : ""
        }
    }

    var indent: Int { min(16, max(0, query["indent"].flatMap { Int($0) } ?? 0)) }

    func decoded<Value: Decodable>(_ type: Value.Type) -> Value? {
        try? JSONDecoder().decode(type, from: Data(body))
    }

    private static func basic(_ header: String) -> (name: String, password: String)? {
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic", let data = Data(base64Encoded: String(words[1])),
            let text = String(validating: data, as: UTF8.self), let colon = text.firstIndex(of: ":")
        else { return nil }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    private static func session(_ header: String) -> String? {
        for pair in header.split(separator: ";") {
            let sides = pair.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            if sides.count == 2, sides[0] == SessionTable.cookieName { return sides[1] }
        }
        return nil
    }

    private static func decode(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var iterator = text.utf8.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "+") {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%"), let high = iterator.next(), let low = iterator.next(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            {
                bytes.append(value)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
