/// Why a command of `cmsh` was refused.
struct CmshError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}

/// A line of `cmsh` taken apart: commands between semicolons, words between blanks, double quotes around what holds either.
enum CmshWords {
    static func commands(_ text: String) throws(CmshError) -> [[String]] {
        var commands: [[String]] = []
        var words: [String] = []
        var word: String?
        var quote: Character?
        var escaped = false
        // Commands in brackets, as `foreach` takes them, are one word that keeps its quotes.
        var depth = 0
        func end(_ word: inout String?, _ words: inout [String]) {
            if let complete = word { words.append(complete) }
            word = nil
        }
        for character in text {
            if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
                word = (word ?? "") + String(character)
            } else if escaped {
                word = (word ?? "") + String(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "(", word == nil {
                depth = 1
                word = "("
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character == ";" || character.isNewline {
                end(&word, &words)
                if !words.isEmpty { commands.append(words) }
                words = []
            } else if character.isWhitespace {
                end(&word, &words)
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard depth == 0 else { throw CmshError("unterminated bracket") }
        guard quote == nil else { throw CmshError("unterminated quote") }
        end(&word, &words)
        if !words.isEmpty { commands.append(words) }
        return commands
    }
}

/// The options of a command: single letters, some with a value, and what is left.
struct CmshOptions {
    private var values: [String: String] = [:]
    private(set) var flags: Set<String> = []
    private(set) var rest: [String] = []

    init(_ words: [String], valued: Set<String>, flags known: Set<String>) throws(CmshError) {
        var iterator = words.makeIterator()
        while let word = iterator.next() {
            if valued.contains(word) {
                guard let value = iterator.next() else { throw CmshError("option \(word) requires a value") }
                values[word] = value
            } else if known.contains(word) {
                flags.insert(word)
            } else if word.hasPrefix("-") && word.count > 1 {
                throw CmshError("unknown option: \(word)")
            } else {
                rest.append(word)
            }
        }
    }

    subscript(_ option: String) -> String? { values[option] }
}
