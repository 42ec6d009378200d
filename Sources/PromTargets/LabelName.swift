/// Names of labels, after Prometheus's data model.
enum LabelName {
    /// Whether the text is `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func isValid(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// Refuses a label that a target may not carry.
    static func check(_ name: String, value: String) throws(PromTargetsError) {
        guard isValid(name) else {
            throw PromTargetsError(
                .invalidLabel, reason: "\(JSONText.quoted(name)) is no label name",
                remedy: "use letters, digits and underscores, not a digit first")
        }
        guard !name.hasPrefix("__") else {
            throw PromTargetsError(
                .invalidLabel, reason: "the label \"\(name)\" would change how Prometheus scrapes",
                remedy: "leave it out; names that begin with two underscores are Prometheus's own")
        }
        guard !value.isEmpty else {
            throw PromTargetsError(
                .invalidLabel, reason: "the label \"\(name)\" has an empty value", remedy: "leave it out")
        }
    }
}
