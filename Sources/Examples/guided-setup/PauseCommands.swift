import ArgumentParser
import CommandExecution
import ExampleSupport
import Glibc
import JobstatsDeploy
import SetupSupport

/// Which nodes, and how they are reached.
struct NodeOptions: ParsableArguments {
    @Argument(help: "The nodes, as names or ranges such as dgx-[01-04].")
    var nodes: [String]
    @Option(help: ArgumentHelp("How many nodes are reached at once.", valueName: "number"))
    var parallel = 32
    @Option(help: ArgumentHelp("A configuration file for ssh in place of your own.", valueName: "file"))
    var sshConfig: String?
    @Flag(help: "Work on the other hosts through sudo -n; as whom to log in is said in ssh's configuration.")
    var sudo = false

    func validate() throws {
        guard parallel >= 1 else { throw ValidationError("--parallel needs at least 1.") }
        if let sshConfig, sshConfig != "none", access(sshConfig, R_OK) != 0 {
            throw ValidationError("--ssh-config \(sshConfig): \(String(cString: strerror(errno))).")
        }
    }

    /// Sends the request, shows the results and ends.
    func send(_ request: MonitorControl.Request) async throws {
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, name.count - 1)
        let localHost = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let hosts: [Host]
        do throws(HostListProblem) {
            hosts = try MonitorControl.hosts(nodes, localHost: localHost)
        } catch {
            throw ValidationError("\(error)")
        }
        var ssh = SSHOptions(configurationFile: sshConfig)
        ssh.usesSudo = sudo
        // The monitors keep their own order; a deployment that is at work there is not to be disturbed.
        ssh.locksHosts = false
        let control = MonitorControl(connector: SSHConnector(options: ssh), parallel: parallel)
        let status = await Interrupts.cancelling { () -> Int32 in
            let results = await control.send(request, to: hosts)
            Program.write(MonitorControl.table(results), to: STDOUT_FILENO)
            if Task.isCancelled { return 130 }
            return results.allSatisfy { $0.outcome == .done } ? 0 : 1
        }
        throw ExitCode(status)
    }
}

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stops the exporters of nodes for a time, as for a reconfiguration of MIG.",
        discussion: """
            Each node's role monitor stops its exporters and removes its target file, and starts them again when the time is \
            over or guided-setup resume says so.

            Exit status: 0 done on every node, 1 some node was not reached or failed, 2 usage, 130 interrupted.
            """)
    @OptionGroup var options: NodeOptions
    @Option(name: .customLong("for"), help: ArgumentHelp("How long, as in 90s, 30m, 2h or 1d.", valueName: "time"))
    var length = PauseTime(seconds: 7200)

    func run() async throws { try await options.send(.pause(seconds: length.seconds)) }
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ends the pause of nodes.",
        discussion: """
            Exit status: 0 done on every node, 1 some node was not reached or failed, 2 usage, 130 interrupted.
            """)
    @OptionGroup var options: NodeOptions

    func run() async throws { try await options.send(.resume) }
}

/// A length of time as an operator types it: a second to thirty days, as the monitor takes it.
struct PauseTime: ExpressibleByArgument, CustomStringConvertible {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let letter = argument.last, let factor = letter.isNumber ? 1 : units[letter],
            let number = Double(letter.isNumber ? argument[...] : argument.dropLast()), number > 0,
            (1...30 * 86_400).contains(number * factor)
        else { return nil }
        seconds = Int((number * factor).rounded(.up))
    }

    var description: String {
        for (unit, letter) in [(86_400, "d"), (3600, "h"), (60, "m")] where seconds % unit == 0 {
            return "\(seconds / unit)\(letter)"
        }
        return "\(seconds)s"
    }

    var defaultValueDescription: String { description }
}
