/// A place within a JSON value: `[3].roles[0]`.
public struct JSONPath: Sendable, Hashable, CustomStringConvertible {
    /// A step from a value into one of its parts.
    public enum Step: Sendable, Hashable {
        /// To a member of an object.
        case member(String)
        /// To an element of an array, counted from 0.
        case element(Int)
    }

    /// The steps from the outermost value.
    public var steps: [Step]

    /// The outermost value itself.
    public static let root = JSONPath([])

    /// Creates a path.
    public init(_ steps: [Step]) { self.steps = steps }

    /// The path of a part.
    public func appending(_ step: Step) -> JSONPath { JSONPath(steps + [step]) }

    /// `[3].roles[0]`, or `["odd name"]` for names that are not made of letters, digits, `_` and `-`. Empty for the
    /// outermost value. Long names are cut.
    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .element(let index): text += "[\(index)]"
            case .member(let name):
                let isPlain = !name.isEmpty && name.utf8.count <= 60 && name.utf8.allSatisfy(Self.isPlain)
                text += isPlain ? (text.isEmpty ? name : "." + name) : "[\(quoted(name))]"
            }
        }
        return text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// What is wrong with a JSON text or value, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place within the value.
    public let path: JSONPath
    /// What is wrong, such as `expected text, found number`.
    public let reason: String
    /// The place within the text; nil when the text is sound and its value is not what was expected.
    public let location: Location?

    /// A place within a text.
    public struct Location: Sendable, Hashable, CustomStringConvertible {
        /// The line, counted from 1.
        public let line: Int
        /// The column in characters (Unicode scalars), counted from 1.
        public let column: Int
        /// How many bytes stand before it.
        public let offset: Int

        /// The place of a byte.
        package init(_ offset: Int, in bytes: UnsafeRawBufferPointer) {
            let before = bytes.prefix(offset)
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            line = before.count { $0 == UInt8(ascii: "\n") } + 1
            // The bytes of a character after its first are no columns of their own.
            column = before[start...].count { $0 & 0xc0 != 0x80 } + 1
            self.offset = offset
        }

        /// `line 3, column 7`.
        public var description: String { "line \(line), column \(column)" }
    }

    /// Creates an error.
    public init(_ path: JSONPath, _ reason: String, location: Location? = nil) {
        self.path = path
        self.reason = reason
        self.location = location
    }

    /// `[3].roles[0]: expected text, found number`; for damaged text with the line and column behind it.
    public var description: String {
        let place = path.steps.isEmpty ? "the outermost value" : path.description
        return "\(place): \(reason)" + (location.map { " (\($0))" } ?? "")
    }
}
