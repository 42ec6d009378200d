public import ArgumentParser
import ExampleSupport
import JobstatsDeploy

/// What is done, and by which configuration.
struct DeedOptions: ParsableArguments {
    @Flag(help: "Go on with an interrupted or partly failed run.")
    var resume = false
    @Flag(help: "Take away what was deployed; with --check or --dry-run say what that would be.")
    var uninstall = false
    @Option(
        help: ArgumentHelp("Write the plan for another engine: ansible or shell.", valueName: "kind"))
    var export: ExportKind?
    @Option(help: ArgumentHelp("The directory that an export goes to.", valueName: "dir"))
    var output: String?
    @Option(help: ArgumentHelp("The configuration file.", valueName: "file"))
    var config = Defaults.configurationFile
}

/// Which part of it.
struct PartOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The sections to carry out, 1 to 10 (default: all).", valueName: "number"))
    var section: [Int] = []
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The hosts to work on, as names or ranges (default: all).", valueName: "host"))
    var limit: [String] = []
}

/// What is asked.
struct QuestionOptions: ParsableArguments {
    @Flag(help: "Ask nothing; without it and without a terminal the command stops.")
    var nonInteractive = false
}

extension ExportKind: ExpressibleByArgument {}
