public import ArgumentParser
public import Logging

/// The option that every program has for its log.
public struct LogOptions: ParsableArguments {
    /// The lowest level that is logged.
    @Option(
        help: ArgumentHelp(
            "What is logged to standard error: trace, debug, info, notice, warning, error or critical.",
            valueName: "level"))
    public var logLevel: String = "warning"

    /// Creates the option.
    public init() {}

    /// Refuses an unknown level.
    public func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level \(logLevel): not one of trace, debug, info, notice, warning, error, critical.")
        }
    }

    /// A logger of that level.
    public func logger(_ label: String) -> Logger {
        StandardErrorLog.logger(label, level: Logger.Level(rawValue: logLevel) ?? .warning)
    }
}
