import CommandExecution

/// One request of the REST or JSON interface, before it is known which head node gets it.
struct Request: Sendable {
    /// The path without the query.
    var path: String
    /// The query's names and values, not yet encoded.
    var query: [(name: String, value: String)] = []
    /// What a POST sends; nil for a GET.
    var body: RequestBody?
    /// Whether the answer may come compressed. The agent's lookups go without: the list of devices is read each minute on every node,
    /// and uncompressing costs more than the bytes.
    var acceptsCompression = true
    /// The session cookie.
    var cookie: Secret?
    /// Whether HTTP basic authentication is used where the client has credentials.
    var usesBasicAuthentication = true

    /// Path and query as they stand in the URL.
    var target: String {
        guard !query.isEmpty else { return path }
        return path + "?" + query.map { Self.encode($0.name) + "=" + Self.encode($0.value) }.joined(separator: "&")
    }

    /// `GET /rest/v1/license`, for messages.
    var description: String { (body == nil ? "GET " : "POST ") + path }

    /// A POST of a JSON value.
    static func post(_ path: String, _ value: JSONValue) -> Request {
        Request(path: path, body: RequestBody(bytes: Array(value.text().utf8)))
    }

    /// A text as part of a URL (RFC 3986, 2.3): everything but letters, digits and four marks is encoded.
    static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.append(byte)
            default: encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }
}
