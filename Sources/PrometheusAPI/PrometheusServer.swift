internal import FoundationEssentials

/// A Prometheus server, asked over its HTTP interface (its manual, "HTTP API"). Only asked: nothing there changes.
package struct PrometheusServer: Sendable, Hashable {
    /// The host.
    package let host: String
    /// The port.
    package let port: UInt16
    /// What stands before `/api`; empty usually.
    package let prefix: String
    /// How long each answer may take.
    package var timeout = Duration.seconds(10)

    /// Names a server.
    package init(host: String, port: UInt16, prefix: String = "") {
        self.host = host
        self.port = port
        self.prefix = prefix
    }

    /// Reads an address: `http://mon-01:9090`, `http://[fd00::1]:9090/prometheus`, or `mon-01:9090`. The port is 9090 by default.
    ///
    /// - Throws: ``PrometheusError`` with the code `address`, for https:// too: only plain HTTP is spoken.
    package init(url: String) throws(PrometheusError) {
        func refusal(_ reason: String) -> PrometheusError {
            PrometheusError(.address, "\"\(url)\" is no address of a Prometheus: \(reason); write http://HOST:PORT")
        }
        var rest = url[...]
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound].lowercased() == "http" else { throw refusal("only http:// is spoken") }
            rest = rest[scheme.upperBound...]
        }
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        let isPlain: (Character) -> Bool = { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-~".contains($0)) }
        guard path.allSatisfy(isPlain) else { throw refusal("its path has other signs than letters, digits and ._-~") }
        var host = authority, port: UInt16? = 9090
        if authority.hasPrefix("["), let close = authority.lastIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<close]
            let tail = authority[authority.index(after: close)...]
            if !tail.isEmpty { port = tail.hasPrefix(":") ? UInt16(tail.dropFirst()) : nil }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = UInt16(authority[authority.index(after: colon)...])
        }
        guard let port, port > 0 else { throw refusal("its port is not between 1 and 65535") }
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_:".contains($0)) })
        else {
            throw refusal("its host is none")
        }
        self.init(host: String(host), port: port, prefix: path)
    }

    /// `http://mon-01:9090`.
    package var url: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)\(prefix)" }

    // MARK: Questions

    /// One series and its value at one moment.
    package struct Sample: Sendable, Hashable {
        package let labels: [String: String]
        package let value: Double
    }

    /// What an expression gives now, as an instant vector or a scalar.
    package func query(_ expression: String) async throws(PrometheusError) -> [Sample] {
        struct Result: Decodable {
            struct Vector: Decodable {
                let metric: [String: String]
                let value: Pair
            }
            struct Pair: Decodable {
                let text: String
                init(from decoder: any Decoder) throws {
                    var list = try decoder.unkeyedContainer()
                    _ = try list.decode(Double.self)
                    text = try list.decode(String.self)
                }
            }
            enum Body { case vector([Vector]), scalar(Pair) }
            let body: Body
            private enum CodingKeys: CodingKey { case resultType, result }
            init(from decoder: any Decoder) throws {
                let members = try decoder.container(keyedBy: CodingKeys.self)
                body =
                    try members.decode(String.self, forKey: .resultType) == "scalar"
                    ? .scalar(try members.decode(Pair.self, forKey: .result))
                    : .vector(try members.decode([Vector].self, forKey: .result))
            }
        }
        let result: Result = try await ask("/api/v1/query?query=\(Self.encoded(expression))")
        switch result.body {
        case .vector(let vector):
            return vector.map { Sample(labels: $0.metric, value: Self.number($0.value.text)) }
        case .scalar(let pair): return [Sample(labels: [:], value: Self.number(pair.text))]
        }
    }

    /// A target that Prometheus scrapes.
    package struct Target: Sendable, Hashable, Decodable {
        package let labels: [String: String]
        /// `up`, `down` or `unknown`.
        package let health: String
        package let lastError: String
        package let scrapeUrl: String
    }

    /// Every target that is scraped.
    package func targets() async throws(PrometheusError) -> [Target] {
        struct Result: Decodable { let activeTargets: [Target] }
        let result: Result = try await ask("/api/v1/targets?state=active")
        return result.activeTargets
    }

    /// The values of its command line's flags, those by default included.
    package func flags() async throws(PrometheusError) -> [String: String] { try await ask("/api/v1/status/flags") }

    /// Its version.
    package func version() async throws(PrometheusError) -> String {
        struct Result: Decodable { let version: String }
        let result: Result = try await ask("/api/v1/status/buildinfo")
        return result.version
    }

    /// Its own metrics by name, as it gives them on `/metrics`, summed over their labels: known also where it does not scrape
    /// itself.
    package func ownMetrics() async throws(PrometheusError) -> [String: Double] {
        let answer = try await get("/metrics")
        guard answer.status == 200 else { throw refusal(answer, "/metrics") }
        var metrics: [String: Double] = [:]
        for line in String(decoding: answer.body, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count >= 2, let value = words.last else { continue }
            metrics[String(line.prefix { $0 != "{" && $0 != " " }), default: 0] += Self.number(String(value))
        }
        return metrics
    }

    // MARK: Answers

    private func get(_ path: String) async throws(PrometheusError) -> PlainHTTP.Answer {
        try await PlainHTTP.get(host: host, port: port, path: prefix + path, timeout: timeout)
    }

    private struct Envelope<Value: Decodable>: Decodable {
        let status: String
        let data: Value?
        let error: String?
    }

    private func ask<Value: Decodable>(_ path: String) async throws(PrometheusError) -> Value {
        let answer = try await get(path)
        let envelope: Envelope<Value>
        do {
            envelope = try JSONDecoder().decode(Envelope<Value>.self, from: Data(answer.body))
        } catch {
            guard answer.status == 200 else { throw refusal(answer, path) }
            throw PrometheusError(.malformed, "\(url) gives an answer that is none of a Prometheus")
        }
        guard envelope.status == "success", let data = envelope.data else {
            let reason = envelope.error.map { ": \($0.prefix(200))" } ?? ""
            throw PrometheusError(.refused, "\(url) refuses (HTTP \(answer.status))\(reason)")
        }
        return data
    }

    private func refusal(_ answer: PlainHTTP.Answer, _ path: String) -> PrometheusError {
        let place = path.prefix { $0 != "?" }
        return PrometheusError(
            .refused,
            "\(url)\(place) answers HTTP \(answer.status); is this the address of a Prometheus without a login?")
    }

    /// Prometheus writes `NaN`, `+Inf` and `-Inf`, too.
    private static func number(_ text: String) -> Double {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: Double(text) ?? .nan
        }
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber { return String(character) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
