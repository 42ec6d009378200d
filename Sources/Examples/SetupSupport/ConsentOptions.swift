public import ArgumentParser
internal import JobstatsDeploy

/// What is agreed to beforehand.
public struct ConsentOptions: ParsableArguments {
    /// Whether general questions are answered.
    @Flag(help: "Answer general questions with yes; what disturbs running work needs --allow all the same.")
    public var yes = false
    /// Consents.
    @Option(
        help: ArgumentHelp(
            "Consents, separated by commas; can be given again:", discussion: Consent.overview,
            valueName: "name,..."))
    public var allow: [String] = []

    /// Creates the options.
    public init() {}

    /// The names that were given.
    public var names: Set<String> {
        Set(allow.flatMap { $0.split(separator: ",").map { $0.filter { !$0.isWhitespace } } }.filter { !$0.isEmpty })
    }

    /// Refuses an empty list, which is an unset variable in a script rather than a wish.
    public func validate() throws {
        if !allow.isEmpty, names.isEmpty { throw ValidationError("--allow takes names of consents (see --help).") }
    }
}
