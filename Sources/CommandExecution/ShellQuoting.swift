/// Quoting for POSIX shells: the one place where a value becomes part of a shell's text.
public enum ShellQuoting {
    /// Quotes one word so that any POSIX shell yields exactly these bytes again.
    ///
    /// Words of harmless characters stay bare; all others are put in single quotes (POSIX.1-2017, 2.2.2).
    /// A NUL character cannot stand in an argument and is dropped by no one: callers validate it away.
    public static func quote(_ word: String) -> String {
        if !word.isEmpty, word.utf8.allSatisfy(isHarmless) { return word }
        var quoted = "'"
        for character in word.unicodeScalars {
            if character == "'" { quoted += "'\\''" } else { quoted.unicodeScalars.append(character) }
        }
        return quoted + "'"
    }

    /// Quotes words and joins them with single spaces.
    public static func quote(_ words: [String]) -> String {
        words.map { quote($0) }.joined(separator: " ")
    }

    private static func isHarmless(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ":"),
            UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "@"), UInt8(ascii: "%"), UInt8(ascii: "+"):
            true
        default: false
        }
    }
}
