internal import BCMClient

extension MonitorConfiguration {
    /// Reads a configuration from the bytes of its file.
    ///
    /// - Returns: the configuration, and warnings for keys that are not known and settings that have no effect.
    /// - Throws: ``MonitorConfigurationError`` with every mistake at once.
    public static func parse(
        _ bytes: [UInt8]
    ) throws(MonitorConfigurationError) -> (configuration: MonitorConfiguration, warnings: [String]) {
        let object = try object(bytes)
        var configuration = MonitorConfiguration()
        var problems: [MonitorConfigurationError.Problem] = []
        for key in ConfigurationKey.all {
            if let value = object[key.name] { problems += key.take(value, &configuration) }
        }
        if object[ConfigurationKey.headNodes] == nil || object[ConfigurationKey.headNodes] == .array([]) {
            let found = object[ConfigurationKey.headNodes] == nil ? "missing" : "found an empty list"
            problems.insert(
                .init(
                    key: ConfigurationKey.headNodes,
                    "\(found), expected at least one head node, as in [\"head-a\", \"head-b:8081\"]"), at: 0)
        }
        if problems.isEmpty { problems = RuleSyntax.duplicates(in: configuration) }
        guard problems.isEmpty else { throw MonitorConfigurationError(.invalidValues, problems: problems) }
        return (configuration, unknownKeyWarnings(object) + configuration.combinationWarnings)
    }

    /// The configuration as the bytes of a file that ``parse(_:)`` reads back to the same value: JSON with every key,
    /// indented, ending in a newline.
    public func encoded() -> [UInt8] {
        let lines = ConfigurationKey.all.compactMap { key in key.give(self).map { "  \"\(key.name)\": \($0)" } }
        return Array("{\n\(lines.joined(separator: ",\n"))\n}\n".utf8)
    }

    private static func object(_ bytes: [UInt8]) throws(MonitorConfigurationError) -> JSONObject {
        // A typed error does not pass through a closure that rethrows.
        let result: Result<JSONValue, MonitorConfigurationError> = bytes.withUnsafeBytes { buffer in
            var parser = JSONParser(buffer, limits: .init(depth: 100))
            parser.refusesDuplicates = true
            do throws(JSONFault) { return .success(try parser.document()) } catch {
                let problem = MonitorConfigurationError.Problem("not JSON: \(error.described(in: buffer))")
                return .failure(MonitorConfigurationError(.malformed, problems: [problem]))
            }
        }
        let value = try result.get()
        guard case .object(let object) = value else {
            throw MonitorConfigurationError(
                .malformed,
                problems: [.init("found \(value.excerpt), expected an object, as in {\"bcm_headnodes\": [\"head-a\"]}")]
            )
        }
        return object
    }

    private static func unknownKeyWarnings(_ object: JSONObject) -> [String] {
        let known = ConfigurationKey.all.map(\.name)
        let unknown = object.members.map(\.name).filter { !known.contains($0) }.sorted()
        // To look for the nearest key takes time, and who reads a hundred such lines has read enough.
        var warnings = unknown.prefix(100).map { key in
            let nearest = known.min { EditDistance.between(key, $0) < EditDistance.between(key, $1) } ?? ""
            return "\(JSONValue.text(key).excerpt) is not a known key and has no effect; the nearest known key is "
                + "\"\(nearest)\""
        }
        if unknown.count > 100 { warnings.append("\(unknown.count - 100) more keys are not known and have no effect") }
        return warnings
            + RuleSyntax.unknownKeys(object[RuleSyntax.key]).map { "\($0) is not a known key and has no effect" }
    }

    /// Settings that other settings make useless.
    private var combinationWarnings: [String] {
        var warnings: [String] = []
        if isInsecure {
            warnings.append(
                "\"insecure\" is true: head nodes are not verified, and anyone on the network can answer for them; "
                    + "set \"ca_path\" or \"pinned_keys\" instead")
        }
        if authorityFile != nil && !pinnedKeys.isEmpty {
            warnings.append("\"pinned_keys\" has no effect because \"ca_path\" is set")
        }
        return warnings
    }
}

/// How many letters must change to make one word of the other.
enum EditDistance {
    static func between(_ first: String, _ second: String) -> Int {
        let first = Array(first.lowercased().utf8.prefix(100))
        let second = Array(second.lowercased().utf8.prefix(100))
        var row = Array(0...second.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[second.count]
    }
}
