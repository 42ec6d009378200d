/// The name of a systemd unit: `node_exporter.service`, `data.mount`, `getty@tty1.service`.
///
/// A name that exists is valid after systemd.unit(5): at most 255 bytes, a known type as suffix, and before it ASCII
/// letters, digits and `:-_.\`, with one `@` before an instance. It can therefore be no option, no path and no pattern.
public struct UnitName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The whole name, with its type: `node_exporter.service`.
    public let description: String

    /// Reads a name.
    ///
    /// - Throws: ``ServiceError/Code/invalidValue`` when systemd would not accept the name, or would complete it: a
    ///   name without a type is refused.
    public init(_ name: String) throws(ServiceError) {
        guard let reason = Self.fault(of: name) else {
            description = name
            return
        }
        throw ServiceError(
            .invalidValue, reason: "\(ServiceError.quoted(name)) is no unit name: \(reason)",
            remedy: "write it as in NAME.service")
    }

    /// The name without its type: `node_exporter`.
    public var stem: String { String(description[..<(description.lastIndex(of: ".") ?? description.endIndex)]) }

    /// The type: `service`, `mount`, `timer` and so on.
    public var type: String { String(description[description.index(after: stem.endIndex)...]) }

    /// Whether this is a template (`getty@.service`), which can be enabled but is never active itself.
    public var isTemplate: Bool { stem.hasSuffix("@") }

    /// Whether the first stands before the second in the order of their text.
    public static func < (left: UnitName, right: UnitName) -> Bool { left.description < right.description }

    private static let types: Set<String> = [
        "service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope",
    ]

    private static func fault(of name: String) -> String? {
        guard name.utf8.count <= 255 else { return "it has more than 255 bytes" }
        guard let dot = name.lastIndex(of: "."), types.contains(String(name[name.index(after: dot)...])) else {
            return "it does not end with a unit's type"
        }
        let stem = name[..<dot].utf8
        guard let first = stem.first else { return "nothing stands before its type" }
        guard first != UInt8(ascii: "-") || name == "-.mount" || name == "-.slice" else {
            return "it begins like an option"
        }
        guard stem.allSatisfy({ isAllowed($0) }) else { return "it holds a character that is not allowed" }
        guard stem.first != UInt8(ascii: "@") else { return "nothing stands before its \"@\"" }
        return nil
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "\\"),
            UInt8(ascii: "@"):
            true
        default: false
        }
    }
}
