import CommandExecution

/// Replacements of files that follow one another, for ``InstallScript``.
struct FileSet {
    /// How many commands it takes.
    private(set) var count = 0
    /// Where the host remembers the files.
    let record: String
    /// The script's list.
    private(set) var list = ""
    /// Seconds for all.
    private(set) var limit: Int64 = 110

    /// - Returns: nil when the first command must run by itself.
    init?(_ commands: [Command], from first: Int) {
        guard Self.isPlain(commands[first]) else { return nil }
        record = commands[first].arguments[8]
        for (index, command) in commands.enumerated().dropFirst(first) {
            guard Self.isPlain(command), command.arguments[8] == record else { break }
            let words = command.arguments[3...7]
            let digest = words[6].split(separator: ":")
            list += "\(index) \(words[3]) \(words[4]) \(words[5]) \(digest[0]) \(digest[1]) \(words[7])\n"
            count += 1
            limit += 10
        }
    }

    /// Whether the command replaces a file with its input, and checks nothing but its digest.
    static func isReplacement(_ command: Command) -> Bool {
        let arguments = command.arguments
        return command.executable == "sh" && command.environment.isEmpty && arguments.count == 9
            && arguments[0] == "-c" && arguments[1] == OwnershipScripts.replace
            && arguments[6].hasSuffix(":\(command.input.count)")
    }

    private static func isPlain(_ command: Command) -> Bool {
        isReplacement(command) && command.arguments[3...7].allSatisfy(InstallScript.canTake)
            && command.arguments[3].hasPrefix("/")
    }
}
