/// The state of a node as BCM shows it, without the decoration of some places: `[   UP   ]` is `UP`.
public struct NodeState: Sendable, Hashable, CustomStringConvertible {
    /// `UP`, `DOWN`, `CLOSED`, `INSTALLING` and others; an open set.
    public let name: String
    /// What stands behind the name, such as `(closed), restart required`; empty usually.
    public let remark: String

    /// The node is up.
    public static let up = NodeState("UP")
    /// The node is down.
    public static let down = NodeState("DOWN")

    /// Reads a state in either form.
    public init(_ text: String) {
        let text = text.trimmed
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            name = text[..<close].dropFirst().trimmed
            remark = text[text.index(after: close)...].trimmed
        } else {
            name = text
            remark = ""
        }
    }

    /// Whether BCM shows it as up, letter case aside.
    public var isUp: Bool { name.uppercased() == "UP" }

    /// The name, and what stands behind it.
    public var description: String { remark.isEmpty ? name : "\(name) \(remark)" }
}
