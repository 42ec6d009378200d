import ClusterModel

/// What the service says to a request: a status and a JSON document.
struct RESTAnswer: Sendable {
    var status = 200
    var body: [UInt8]
    var headers: [(String, String)] = []

    init(_ value: JSONText, indent: Int = 0, status: Int = 200) {
        self.status = status
        body = Array((value.text(indent: indent) + "\n").utf8)
    }

    init(body: [UInt8]) { self.body = body }

    /// Whether the body is a gzip stream.
    var isCompressed: Bool { headers.contains { $0.0 == "Content-Encoding" } }

    /// Makes a gzip stream of the body.
    mutating func compress() {
        body = GzipStream.bytes(of: body)
        headers.append(("Content-Encoding", "gzip"))
    }

    static func error(_ status: Int, _ text: String) -> RESTAnswer {
        RESTAnswer(.members(("error", .string(text)), ("status", .number(status))), status: status)
    }

    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Payload Too Large"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Internal Server Error"
        }
    }
}
