/// The text that cmsh gets after `-c`: commands between semicolons, made of words that were checked.
struct CmshScript: Sendable {
    /// Characters that end a command, quote, run a program, redirect output or call history in cmsh. It knows no way
    /// to quote all of them, so that a value with one of them is refused.
    private static let refused = Set(";\"'\\`$|<>!&".unicodeScalars)

    let text: String

    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for a word that cannot be written.
    init(_ commands: [[String]]) throws(BCMError) {
        var parts: [String] = []
        for command in commands {
            guard let name = command.first, !name.isEmpty else {
                throw BCMError(.invalidConfiguration, reason: "a cmsh command is empty")
            }
            var words: [String] = []
            for word in command { words.append(try Self.quote(word)) }
            parts.append(words.joined(separator: " "))
        }
        text = parts.joined(separator: "; ")
    }

    /// Commands for each device of a selection, and a commit of all of them.
    ///
    /// - Throws: ``BCMError`` also for a selection of all devices: head nodes and switches are rarely meant with the others.
    init(_ commands: [[String]], forEach selection: Cmsh.Selection) throws(BCMError) {
        let options = try selection.checked()
        guard !options.isEmpty else {
            throw BCMError(
                .invalidConfiguration, reason: "all devices are selected for a change",
                remedy: "select those that are meant: by type, category, role, overlay or name")
        }
        text = try CmshScript([["device"], ["foreach"] + options]).text + " (\(try CmshScript(commands).text)); commit"
    }

    /// A word as cmsh reads it: bare when harmless, otherwise in double quotes.
    static func quote(_ word: String) throws(BCMError) -> String {
        for scalar in word.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let isBreak = scalar.value == 0x2028 || scalar.value == 0x2029
            guard !isControl, !isBreak, !refused.contains(scalar) else {
                let shown = isControl || isBreak ? "the character U+" + hexadecimal(scalar.value) : "\(scalar)"
                throw BCMError(
                    .invalidConfiguration,
                    reason: "the value \(quoted(word)) holds \(shown), which cmsh cannot be given",
                    remedy: "use a value of letters, digits, spaces and the characters - _ . : , / = @ + % #")
            }
        }
        let isBare = word.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: ","),
                UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "+"), UInt8(ascii: "{"),
                UInt8(ascii: "}"):
                true
            default: false
            }
        }
        return isBare && !word.isEmpty ? word : "\"\(word)\""
    }

    /// A name that stands where cmsh could take it for an option or for nothing.
    static func name(_ value: String, _ what: String) throws(BCMError) -> String {
        guard !value.isEmpty, !value.hasPrefix("-"), value.unicodeScalars.contains(where: { $0 != " " }) else {
            throw BCMError(
                .invalidConfiguration, reason: "\(quoted(value)) is no name of a \(what)",
                remedy: "give the name as cmsh lists it")
        }
        _ = try quote(value)
        return value
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
