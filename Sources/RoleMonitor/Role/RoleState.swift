/// Whether a node has a role, as far as BCM's answer tells.
public enum RoleState: String, Sendable, Hashable, Codable, CustomStringConvertible {
    /// The node has the role.
    case present
    /// The node does not have it, certainly.
    case absent
    /// It cannot be told, so nothing is changed.
    case unknown

    /// `present`, `absent` or `unknown`.
    public var description: String { rawValue }
}
