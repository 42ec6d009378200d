import CommandExecution
import JobstatsDeploy

/// Reaches this machine whatever the host is called, with every command at the lowest priority.
struct GentleConnector: HostConnector {
    func connect(to host: Host) async -> any HostConnection { GentleConnection() }
}

/// Hands each command to nice(1), with its input and its time-out.
struct GentleConnection: HostConnection {
    private let executor = LocalExecutor()
    var attempts: Int { 1 }

    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        var gentle = command
        gentle.executable = "nice"
        gentle.arguments = ["-n", "19", command.executable] + command.arguments
        return try await executor.run(gentle)
    }

    func close() async {}
}
