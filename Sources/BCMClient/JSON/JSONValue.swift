/// Any JSON value (RFC 8259), with everything that was in the text: the order of members, members of the same name, and
/// numbers as they were written.
///
/// ```swift
/// let answer = try await client.call("cmdevice", "getDevice", [.text("node001")])
/// print(answer["hostname"]?.string ?? "", answer["roles"]?[0] ?? .null)
/// ```
///
/// The accessors here give nil for what is not there. ``JSONPlace`` reads the same values and says what is wrong and where.
public indirect enum JSONValue: Sendable, Hashable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number, as it was written.
    case number(JSONNumber)
    /// A text.
    case text(String)
    /// A list.
    case array([JSONValue])
    /// Members in their order.
    case object(JSONObject)

    /// The kind in one word: `null`, `boolean`, `number`, `text`, `array` or `object`.
    public var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .text: "text"
        case .array: "array"
        case .object: "object"
        }
    }

    /// The text; nil for other kinds.
    public var string: String? { if case .text(let value) = self { value } else { nil } }
    /// The truth value; nil for other kinds.
    public var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }
    /// The number; nil for other kinds.
    public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }
    /// The elements; nil for other kinds.
    public var elements: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    /// The object; nil for other kinds.
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    /// Whether it is `null`.
    public var isNull: Bool { self == .null }

    /// A member of an object; the last of several of this name, nil without one and for other kinds.
    public subscript(name: String) -> JSONValue? { object?[name] }

    /// An element of a list; nil beyond its end and for other kinds.
    public subscript(index: Int) -> JSONValue? {
        guard let elements, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

/// The members of a JSON object, in the order of the text. Names may stand several times.
public struct JSONObject: Sendable, Hashable {
    /// A name and its value.
    public struct Member: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: JSONValue

        /// Creates a member.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The members.
    public var members: [Member]

    /// Creates an object.
    public init(_ members: [Member] = []) { self.members = members }

    /// The value of a member: the last of several of this name, as most readers of JSON have it. Nil without one.
    public subscript(name: String) -> JSONValue? { members.last { $0.name == name }?.value }

    /// The members that are not among these, such as those that a newer version of BCM added.
    public func members(besides known: Set<String>) -> [Member] { members.filter { !known.contains($0.name) } }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A text.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    /// A list.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object, its members in the order of the literal.
    public init(dictionaryLiteral members: (String, JSONValue)...) {
        self = .object(JSONObject(members.map { JSONObject.Member($0.0, $0.1) }))
    }
}
