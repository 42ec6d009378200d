internal import CommandExecution
internal import Glibc
public import Logging

/// A log on standard error: with syslog priorities for the journal under systemd, plain lines elsewhere. Control
/// characters are shown as their numbers.
public struct StandardErrorLog: LogHandler {
    /// The lowest level that is written.
    public var logLevel: Logger.Level
    /// Values added to every message.
    public var metadata: Logger.Metadata = [:]
    /// Where values that belong to the task come from.
    public var metadataProvider: Logger.MetadataProvider?
    private let isJournal: Bool

    /// Creates a log.
    ///
    /// - Parameters:
    ///   - level: the lowest level that is written.
    ///   - isJournal: whether each line begins with a syslog priority, as in `<4>` (sd-daemon(3)). By default it does
    ///     where standard error is the journal's, which systemd shows in `JOURNAL_STREAM`.
    public init(level: Logger.Level = .info, isJournal: Bool? = nil) {
        logLevel = level
        self.isJournal = isJournal ?? Self.isStandardErrorTheJournal()
    }

    /// A logger that writes to standard error.
    public static func logger(_ label: String, level: Logger.Level = .info) -> Logger {
        Logger(label: label) { _ in StandardErrorLog(level: level) }
    }

    /// Writes why a program ends, with the priority of an error where standard error is the journal's.
    public static func fail(_ text: String) {
        let prefix = isStandardErrorTheJournal() ? "<\(priority(.error))>" : ""
        let lines = ForeignText.printable(text).split(separator: "\n", omittingEmptySubsequences: false)
        Program.write(lines.map { "\(prefix)\($0)\n" }.joined(), to: STDERR_FILENO)
    }

    /// A value of the metadata.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a message; each of its lines with the priority.
    public func log(event: LogEvent) {
        var values = metadata
        values.merge(metadataProvider?.get() ?? [:]) { $1 }
        values.merge(event.metadata ?? [:]) { $1 }
        let suffix = values.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let prefix = isJournal ? "<\(Self.priority(event.level))>" : "\(event.level): "
        let text = ForeignText.printable("\(event.message)\(suffix)")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        Program.write(lines.map { "\(prefix)\($0)\n" }.joined(), to: STDERR_FILENO)
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// Compares `JOURNAL_STREAM` with the device and inode of standard error, as systemd.exec(5) says.
    private static func isStandardErrorTheJournal() -> Bool {
        var status = stat()
        guard let stream = getenv("JOURNAL_STREAM").map({ String(cString: $0) }),
            fstat(STDERR_FILENO, &status) == 0
        else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
