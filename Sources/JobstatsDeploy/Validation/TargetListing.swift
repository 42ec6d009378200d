import CommandExecution
import PromTargets

/// The files of the directory of target files with their content, in one answer of the head node.
///
/// Whoever may write there may put anything there: names, sizes and numbers of files are bounded on the host, and what no
/// node's file looks like is named and not read.
struct TargetListing: Sendable, Hashable {
    let directory: String

    /// How many names are looked at.
    static let countLimit = TargetDirectory.countLimit
    /// How many bytes of contents come, each line after its file's name.
    private static let contentLimit = 10 << 20

    private var command: Command {
        Command(
            "sh",
            [
                "-c", Self.script, "sh", directory, "\(TargetDirectory.sizeLimit)", "\(Self.countLimit)",
                "\(Self.contentLimit)",
            ], timeout: .seconds(30))
    }

    var queries: [Query] { [.command(command)] }

    /// Arguments: the directory, and the limits of a file, of names and of contents.
    ///
    /// Gives a line for each file: `f SIZE NAME` for what may be a node's, `o TYPE SIZE NAME` for what else Prometheus could
    /// read or somebody left, with `?` for line ends in names; `end STATUS` of find(1) where it came to an end. Then, small
    /// files first, each line of the first kind after its file's name and a NUL, which no content can feign, and `.`.
    private static let script = """
        LC_ALL=C
        export LC_ALL
        cd -- "$1" || exit 2
        # What is said of broken pipes, where nothing ends a program for one, is no part of the answer.
        exec 2>/dev/null
        list=$({
            find . -mindepth 1 -maxdepth 1 -regextype posix-extended \\
                \\( -type f -size "-$(($2 + 1))c" -regex '\\./[A-Za-z0-9._+][A-Za-z0-9._+-]{0,199}' -printf 'f %s %P\\0' \\) -o \\
                \\( \\( -type f -o -name '*.json' \\) -printf 'o %y %s %P\\0' \\)
            printf 'end %s\\0' $?
        } | head -z -n "$(($3 + 1))" | tr '\\n\\0' '?\\n')
        printf '%s\\n\\n' "$list"
        printf '%s\\n' "$list" | sed -n 's/^f //p' | sort -n | sed 's/^[0-9]* //' |
            xargs -r -d '\\n' grep -aHZ -D skip -d skip -e '' -- | head -c "$4"
        printf '\\n.\\n'
        """

    /// What lies there.
    struct Found: Sendable {
        /// Files that may be a node's, by name; nil for the content of one that did not come.
        var files: [String: [UInt8]?] = [:]
        /// What else lies there, in words.
        var others: [String] = []
        /// Whether there are more names than are looked at.
        var isCutOff = false
    }

    /// What lies there; nil when the directory could not be read.
    func found(_ facts: Facts) -> Found? {
        guard let result = facts.result(command), result.succeeded else { return nil }
        let bytes = result.standardOutput[...]
        let gap = Array("\n\n".utf8)
        guard let middle = bytes.firstRange(of: gap) else { return nil }
        var found = Found()
        var sizes: [String: Int] = [:]
        var status: Int?
        for line in bytes[..<middle.lowerBound].split(separator: UInt8(ascii: "\n")) {
            let words = String(decoding: line, as: UTF8.self).split(
                separator: " ", maxSplits: line.first == UInt8(ascii: "o") ? 3 : 2, omittingEmptySubsequences: false)
            switch (words.first ?? "", words.count) {
            case ("f", 3): sizes[String(words[2])] = Int(words[1])
            case ("o", 4): found.others.append(Self.words(name: String(words[3]), type: words[1], size: words[2]))
            case ("end", 2): status = Int(words[1])
            default: return nil
            }
        }
        // Files that went while find(1) looked are no failure; one that said nothing at all is.
        if let status, status != 0, sizes.isEmpty, found.others.isEmpty { return nil }
        found.isCutOff = status == nil
        found.files = Self.contents(bytes[middle.upperBound...], sizes)
        return found
    }

    private static func words(name: String, type: Substring, size: Substring) -> String {
        let shown = ForeignText.printable(name)
        let kinds: [Substring: String] = [
            "d": "a directory", "l": "a symbolic link", "p": "a pipe", "s": "a socket", "b": "a device",
            "c": "a device",
        ]
        if let kind = kinds[type] { return "\(shown) (\(kind))" }
        guard (Int(size) ?? 0) > TargetDirectory.sizeLimit else { return shown }
        return "\(shown) (\(size) bytes)"
    }

    /// Puts the lines together again. The size tells whether a last line had an end.
    private static func contents(_ bytes: ArraySlice<UInt8>, _ sizes: [String: Int]) -> [String: [UInt8]?] {
        let end = Array("\n.\n".utf8)
        let isEnded = bytes.suffix(end.count).elementsEqual(end)
        let body = isEnded ? bytes.dropLast(end.count) : bytes
        let isWhole = isEnded && body.count < contentLimit
        var files: [String: [UInt8]?] = [:]
        // Of what has a size and no content, the rest did not come, or it went in the meantime.
        for (name, size) in sizes where size == 0 || !isWhole { files[name] = .some(size == 0 ? [] : nil) }
        var name: String?
        var content: [UInt8] = []
        func finish() {
            guard let name, let size = sizes[name] else { return }
            if content.count == size + 1 { content.removeLast() }
            files[name] = .some(content)
        }
        var prefix: ArraySlice<UInt8> = []
        for line in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            guard let zero = line.firstIndex(of: 0) else { continue }
            if name == nil || !line[..<zero].elementsEqual(prefix) {
                finish()
                prefix = line[..<zero]
                (name, content) = (String(decoding: prefix, as: UTF8.self), [])
            }
            content += line[(zero + 1)...]
            content.append(UInt8(ascii: "\n"))
        }
        // The last one may have been cut anywhere.
        if isWhole { finish() }
        return files
    }
}
