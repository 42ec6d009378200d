import FoundationEssentials

/// A group of Prometheus targets with the labels they share: one entry of a file that `file_sd_configs` reads.
///
/// ```swift
/// let group = try TargetGroup(
///     targets: ["dgx-01:9100"], labels: ["job": "node_exporter", "cluster": "slurm", "hostname": "dgx-01"])
/// ```
///
/// A group that exists is valid: addresses are `host:port`, label names follow Prometheus's data model.
public struct TargetGroup: Sendable, Hashable, Codable {
    /// The addresses, each `host:port`.
    public let targets: [String]
    /// The labels that every target of the group gets.
    public let labels: [String: String]

    /// Creates a group.
    ///
    /// - Parameters:
    ///   - targets: addresses as ``TargetAddress`` reads them.
    ///   - labels: names are `[a-zA-Z_][a-zA-Z0-9_]*`. Names that begin with `__` are refused: they steer how
    ///     Prometheus scrapes (`__scheme__`, `__param_x`), which is for its own configuration to say. Values are any
    ///     text but the empty one, which Prometheus does not tell from a missing label.
    /// - Throws: ``PromTargetsError/Code/invalidAddress`` or ``PromTargetsError/Code/invalidLabel``.
    public init(targets: [String], labels: [String: String]) throws(PromTargetsError) {
        for target in targets { _ = try TargetAddress(parsing: target) }
        // In order, so that the same fault is named each time.
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) { try LabelName.check(name, value: value) }
        self.targets = targets
        self.labels = labels
    }

    /// Reads a group and checks it as ``init(targets:labels:)`` does; members that are not known are passed over.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            targets: container.decode([String].self, forKey: .targets),
            labels: container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:])
    }

    private enum CodingKeys: String, CodingKey { case targets, labels }
}

extension TargetGroup {
    /// The groups as the content of a target file.
    ///
    /// A JSON array with one group per line, `targets` before `labels`, labels sorted by name, a newline at the end.
    /// Equal groups give the same bytes, always:
    ///
    /// ```json
    /// [
    ///   {"targets": ["dgx-01:9100"], "labels": {"cluster": "slurm", "hostname": "dgx-01", "job": "node_exporter"}}
    /// ]
    /// ```
    public static func encode(_ groups: [TargetGroup]) -> [UInt8] {
        guard !groups.isEmpty else { return Array("[]\n".utf8) }
        return Array(("[\n" + groups.map { "  " + $0.line }.joined(separator: ",\n") + "\n]\n").utf8)
    }

    /// Reads the content of a target file.
    ///
    /// - Throws: ``PromTargetsError/Code/damaged`` when it is not a JSON array of groups, or
    ///   ``PromTargetsError/Code/invalidLabel`` or ``PromTargetsError/Code/invalidAddress`` when a group is not valid.
    public static func decode(_ bytes: [UInt8]) throws(PromTargetsError) -> [TargetGroup] {
        do {
            return try JSONDecoder().decode([TargetGroup].self, from: Data(bytes))
        } catch let error as PromTargetsError {
            throw error
        } catch {
            throw PromTargetsError(
                .damaged, reason: "it is not a JSON array of target groups: \(Self.cause(error))",
                remedy: "write the file again")
        }
    }

    private var line: String {
        let members = labels.sorted { $0.key < $1.key }
            .map { "\(JSONText.quoted($0.key)): \(JSONText.quoted($0.value))" }
        return "{\"targets\": [\(targets.map { JSONText.quoted($0) }.joined(separator: ", "))], "
            + "\"labels\": {\(members.joined(separator: ", "))}}"
    }

    private static func cause(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let (context, what): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context): (context, "\"\(key.stringValue)\" is missing")
            case .typeMismatch(let type, let context): (context, "\(type) was expected")
            case .valueNotFound(let type, let context): (context, "\(type) was expected, null is there")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "\(error)")
            }
        let place = context.codingPath.map { $0.intValue.map { "entry \($0)" } ?? "\"\($0.stringValue)\"" }
        return (place.isEmpty ? "" : place.joined(separator: ", ") + ": ") + what
    }
}
