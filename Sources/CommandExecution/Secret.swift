/// A value that must not be seen: it hides itself in descriptions, interpolations and dumps.
///
/// ```swift
/// let password = Secret("s3cret")
/// print("\(password)")          // <secret>
/// password.reveal { use($0) }   // the only way to it
/// ```
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    /// Wraps a value.
    public init(_ value: String) { self.value = value }

    /// Always `<secret>`.
    public var description: String { "<secret>" }
    /// Always `<secret>`.
    public var debugDescription: String { "<secret>" }
    /// Has no children.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Hands the value to the closure.
    public func reveal<Result>(_ body: (String) throws -> Result) rethrows -> Result { try body(value) }
}
