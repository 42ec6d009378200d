/// What can be done to a list of hosts, a line at a time: keep, add, remove, set, clear, and hosts from BCM.
enum HostListEditor {
    /// What a line asks for.
    enum Request: Sendable, Equatable {
        case keep
        /// The list as it is to be, entry by entry.
        case change([String])
        /// Hosts from BCM: of a role, category or overlay, or a choice of these.
        case bcm(kind: String?, name: String?)
        case explain
        /// The line cannot be followed, for this reason.
        case refuse(String)
    }

    static let explanation = [
        ("Enter", "keep the list as it is"),
        ("add HOST ...", "add hosts; ranges like dgx-[01-16] and dgx01..dgx16 are understood"),
        ("remove HOST ...", "take hosts out of the list"),
        ("set HOST ...", "put these in place of the list"),
        ("clear", "empty the list"),
        ("bcm", "choose from what BCM knows: roles, categories, head nodes"),
        ("bcm role NAME", "put the nodes of a role in place of the list; also bcm category, bcm overlay"),
    ]

    /// Reads a line.
    ///
    /// - Parameter entries: the list as it stands.
    static func request(_ line: String, on entries: [String]) -> Request {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let verb = words.first?.lowercased() else { return .keep }
        let rest = words.dropFirst().joined(separator: " ")
        switch (verb, words.count) {
        case ("keep", 1): return .keep
        case ("?", 1), ("help", 1): return .explain
        case ("clear", 1): return .change([])
        case ("add", 2...): return .change(entries + self.entries(rest))
        case ("set", 2...): return .change(self.entries(rest))
        case ("remove", 2...): return remove(self.entries(rest), from: entries)
        case ("bcm", 1): return .bcm(kind: nil, name: nil)
        case ("bcm", 3) where ["role", "category", "overlay"].contains(words[1].lowercased()):
            return .bcm(kind: words[1].lowercased(), name: words[2])
        default:
            return .refuse("\(Quoted(line)) is not understood: add, remove or set with hosts, clear, bcm, or Enter.")
        }
    }

    /// The entries of a text: separated by spaces, or by commas outside brackets.
    static func entries(_ text: String) -> [String] {
        var entries = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 }
            if character == "]" { depth -= 1 }
            if character.isWhitespace || (character == "," && depth == 0) {
                entries.append("")
            } else {
                entries[entries.count - 1].append(character)
            }
        }
        return entries.filter { !$0.isEmpty }
    }

    /// The hosts that entries stand for; nil when one of them is no range.
    static func names(_ entries: [String]) -> [String]? {
        var names: [String] = []
        for entry in entries {
            guard let more = try? HostRange.expand(entry, limit: Setting.hostLimit - names.count) else { return nil }
            names += more
        }
        return names
    }

    private static func remove(_ unwanted: [String], from entries: [String]) -> Request {
        guard let present = names(entries) else {
            return .refuse("The list holds an entry that is no host name: use set with the whole list.")
        }
        guard let gone = names(unwanted) else {
            let text = unwanted.joined(separator: " ")
            return .refuse("\(Quoted(text)) is no host name and no range of them.")
        }
        let missing = gone.filter { !present.contains($0) }
        guard missing.isEmpty else {
            return .refuse("Not in the list: \(Quoted(Words.hosts(missing))).")
        }
        let unwanted = Set(gone)
        // Entries that lose nothing stay as they were written.
        var kept: [String] = []
        for entry in entries {
            let hosts = names([entry]) ?? []
            let left = hosts.filter { !unwanted.contains($0) }
            kept += left.count == hosts.count ? [entry] : self.entries(HostRange.compress(left))
        }
        return .change(kept)
    }
}
