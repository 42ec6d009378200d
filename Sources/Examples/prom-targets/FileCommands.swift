import ArgumentParser
import FleetTargets

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the target files; BCM is not asked.")
    @OptionGroup var options: FleetOptions

    func run() async throws {
        try await options.run(needsFile: false, showsCurrent: true) { fleet throws(FleetError) in
            try await fleet.list()
        }
    }
}

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares the target files with what BCM says; changes nothing.")
    @Option(help: ArgumentHelp("Miss files only for nodes of this category; can be given again.", valueName: "name"))
    var category: [String] = []
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var options: FleetOptions

    func run() async throws {
        let categories = Set(category)
        try await options.run(metrics: metrics.of("check")) { fleet throws(FleetError) in
            try await fleet.check(categories: categories)
        }
    }
}

struct Write: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the target files of nodes as a role monitor does, whatever BCM says.")
    @Argument(help: ArgumentHelp("BCM's names of the nodes.", valueName: "node"))
    var nodes: [String]
    @Option(
        help: ArgumentHelp(
            "List the exporters of this role of the configuration; can be given again.", valueName: "name"))
    var role: [String] = []
    @OptionGroup var options: FleetOptions

    func run() async throws {
        let (nodes, roles) = (nodes, role.isEmpty ? nil : role)
        try await options.run(needsFile: false, showsCurrent: true) { fleet throws(FleetError) in
            try await fleet.write(nodes, roles: roles)
        }
    }
}

struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Removes the files of nodes that lost the role or are gone from BCM.",
        discussion: "Without --apply it only says what it would remove.")
    @Flag(help: "Remove them.")
    var apply = false
    @OptionGroup var removal: RemovalOptions
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var options: FleetOptions

    func run() async throws {
        let (isDryRun, limit) = (!apply, removal.limit)
        try await options.run(metrics: metrics.of("prune")) { fleet throws(FleetError) in
            try await fleet.prune(isDryRun: isDryRun, removing: limit)
        }
    }
}

struct Sync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the files of all nodes with the role, and removes those of nodes without it.",
        discussion: """
            Runs until SIGTERM, or makes one pass with --once. For sites that prefer one request a minute to one for each \
            node; set "manage_targets" to false in the role monitors' configuration then.
            """)
    @Flag(help: "Make one pass and end.")
    var once = false
    @Option(help: ArgumentHelp("Seconds between two passes.", valueName: "seconds"))
    var interval = 60
    @Option(
        help: ArgumentHelp(
            "Seconds that are added by chance, at most (default: a tenth of the interval).", valueName: "seconds"))
    var jitter: Int?
    @Option(help: ArgumentHelp("Make files only for nodes of this category; can be given again.", valueName: "name"))
    var category: [String] = []
    @OptionGroup var removal: RemovalOptions
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var options: FleetOptions

    func validate() throws {
        guard (1...86_400).contains(interval), (0...86_400).contains(jitter ?? 0) else {
            throw ValidationError("--interval takes 1 to 86400 seconds, --jitter 0 to 86400.")
        }
    }

    func run() async throws {
        let (once, limit, categories) = (once, removal.limit, Set(category))
        let (interval, jitter) = (
            Duration.seconds(interval), Duration.milliseconds(jitter.map { $0 * 1000 } ?? interval * 100)
        )
        if once {
            try await options.run(metrics: metrics.of("sync")) { fleet throws(FleetError) in
                try await fleet.synchronize(removing: limit, categories: categories)
            }
        }
        let textfile = metrics.textfile
        try await options.runUntilTerminated { fleet throws(FleetError) in
            try await fleet.keepSynchronized(
                every: interval, jitter: jitter, removing: limit, categories: categories, textfile: textfile)
        }
    }
}
