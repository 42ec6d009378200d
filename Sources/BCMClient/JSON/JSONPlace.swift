/// A value within a JSON value, for reading it with errors that say where something else stands than was expected.
///
/// ```swift
/// for device in try JSONPlace(answer).elements() {
///     print(try device.member("hostname").text(), try device.optional("roles")?.texts() ?? [])
/// }
/// // [3].roles[0]: expected text, found number
/// ```
///
/// A member that is `null` counts as absent. A name that stands twice in an object is an error when it is asked for: which of the
/// values is meant cannot be known.
public struct JSONPlace: Sendable, Hashable {
    /// The value.
    public let value: JSONValue
    /// Where it stands in the outermost value.
    public let path: JSONPath

    /// The outermost value, or one that stands at a path of it.
    public init(_ value: JSONValue, path: JSONPath = .root) {
        self.value = value
        self.path = path
    }

    /// The error for this place.
    public func error(_ reason: String) -> JSONError { JSONError(path, reason) }

    private func expected(_ kind: String) -> JSONError { error("expected \(kind), found \(value.kind)") }

    // MARK: Parts

    /// The elements of an array.
    public func elements() throws(JSONError) -> [JSONPlace] {
        guard case .array(let elements) = value else { throw expected("array") }
        return elements.enumerated().map { JSONPlace($0.element, path: path.appending(.element($0.offset))) }
    }

    /// The members of an object, in its order.
    ///
    /// - Throws: ``JSONError`` when it is no object, or when a name stands twice.
    public func members() throws(JSONError) -> [(name: String, place: JSONPlace)] {
        guard case .object(let object) = value else { throw expected("object") }
        var seen: Set<String> = []
        var members: [(String, JSONPlace)] = []
        for member in object.members {
            let place = JSONPlace(member.value, path: path.appending(.member(member.name)))
            guard seen.insert(member.name).inserted else { throw place.error("the name stands twice") }
            members.append((member.name, place))
        }
        return members
    }

    /// A member that must be there.
    public func member(_ name: String) throws(JSONError) -> JSONPlace {
        guard let place = try find(name) else { throw JSONError(path.appending(.member(name)), "is missing") }
        return place
    }

    /// A member that may be missing or `null`.
    public func optional(_ name: String) throws(JSONError) -> JSONPlace? {
        guard let place = try find(name), place.value != .null else { return nil }
        return place
    }

    private func find(_ name: String) throws(JSONError) -> JSONPlace? {
        guard case .object(let object) = value else { throw expected("object") }
        var found: JSONPlace?
        for member in object.members where member.name == name {
            let place = JSONPlace(member.value, path: path.appending(.member(name)))
            guard found == nil else { throw place.error("the name stands twice") }
            found = place
        }
        return found
    }

    // MARK: Values

    /// A text.
    public func text() throws(JSONError) -> String {
        guard case .text(let text) = value else { throw expected("text") }
        return text
    }

    /// A text, or a number as it was written: for numbers that are names.
    public func textOrNumber() throws(JSONError) -> String {
        switch value {
        case .text(let text): return text
        case .number(let number): return number.text
        default: throw expected("text or number")
        }
    }

    /// An array of texts.
    public func texts() throws(JSONError) -> [String] {
        var texts: [String] = []
        for element in try elements() { texts.append(try element.text()) }
        return texts
    }

    /// A truth value.
    public func boolean() throws(JSONError) -> Bool {
        guard case .boolean(let truth) = value else { throw expected("boolean") }
        return truth
    }

    /// A number, as it was written.
    public func number() throws(JSONError) -> JSONNumber {
        guard case .number(let number) = value else { throw expected("number") }
        return number
    }

    /// A whole number.
    public func integer() throws(JSONError) -> Int {
        let number = try number()
        guard let integer = number.integer else {
            throw error("expected a whole number that fits 64 bits, found \(legible(number.text, limit: 40))")
        }
        return integer
    }

    /// A whole number that is not negative.
    public func count() throws(JSONError) -> Int {
        let integer = try integer()
        guard integer >= 0 else { throw error("expected a number that is not negative, found \(integer)") }
        return integer
    }

    /// A number that may have a fraction.
    public func double() throws(JSONError) -> Double {
        let number = try number()
        guard let double = number.double else {
            throw error("expected a number that can be calculated with, found \(legible(number.text, limit: 40))")
        }
        return double
    }
}
