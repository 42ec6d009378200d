/// A script in an export that looks before it changes anything. POSIX sh; every value is an argument.
///
/// Its first argument is `-n` or `-y`. With `-n` it says what it would change and changes nothing; with `-y` it makes it
/// so and says what it changed. Nothing on standard output means that all is as wanted; another status than 0 means that
/// a person must act, for the reason on standard error.
struct ScriptText: Sendable, Hashable {
    /// What exports call it: letters, digits and underscores.
    let name: String
    /// The script.
    let text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    /// The same script after others that it runs, each in a variable of its name with `_script` behind.
    init(_ name: String, _ text: String, running scripts: KeyValuePairs<String, String>) {
        self.init(name, scripts.map { "\($0)=\(ScriptText.quoted($1))\n" }.joined() + text)
    }

    /// The text as one word of a shell, line by line.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}

/// A script with its arguments.
public struct ExportScript: Sendable, Hashable {
    /// What it brings about, in words.
    public var title: String
    let script: ScriptText
    /// The arguments behind `-n` or `-y`.
    var arguments: [String]
    /// What may be taken over: `yes` when `adopt-NAME` was allowed and `no` otherwise stands before the arguments.
    var adoption: String?
    /// What comes on standard input with `-y`, for one architecture or all; nothing for an architecture that is missing.
    var input: [ExportFile.Variant]
    /// How long it may take.
    var timeout: Duration

    init(
        _ title: String, _ script: ScriptText, _ arguments: [String], adoption: String? = nil,
        input: [ExportFile.Variant] = [], timeout: Duration = .seconds(120)
    ) {
        self.title = title
        self.script = script
        self.arguments = arguments
        self.adoption = adoption
        self.input = input
        self.timeout = timeout
    }

    var seconds: Int { Int(max(1, timeout.components.seconds)) }
}
