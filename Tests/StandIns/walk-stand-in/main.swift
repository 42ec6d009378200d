import CommandExecution
import ExampleSupport
import Glibc
import JobstatsDeploy
import SetupSupport

// A walk through a small plan whose hosts are all this machine and whose files lie in one folder.
// usage: walk-stand-in FOLDER MEMORY; what a host remembers lies in the second folder

struct ThisMachine: HostConnector {
    func connect(to host: Host) async -> any HostConnection { LocalConnection() }
}

guard CommandLine.arguments.count == 3 else { exit(2) }
let folder = CommandLine.arguments[1], memory = CommandLine.arguments[2]
let owner = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"

func file(_ name: String) -> FileResource {
    FileResource(
        "\(folder)/\(name)", .text("ours\n"), owner: owner, group: owner, record: OwnershipRecord(directory: memory))
}

let node = Host("dgx-01")
let plan = Plan(sections: [
    PlanSection(
        number: 4, title: "Node statistics", purpose: "A file in a folder stands for what is installed.",
        link: "https://example.com/4", steps: [Step("4.file", "first file", on: [node], file("first"))]),
    PlanSection(
        number: 6, title: "Prometheus", purpose: "A check that takes long once the folder holds a file named slow.",
        steps: [
            Step(
                "6.wait", "patience", on: [node],
                CheckResource(
                    "the folder answers",
                    Command(
                        "sh", ["-c", "[ ! -e \"$1/slow\" ] || { touch \"$1/begun\"; sleep 600; }", "sh", folder],
                        timeout: .seconds(700))
                ) { $0.succeeded ? .inPlace() : .blocked("it does not", remedy: "look at it") }),
            Step("6.file", "second file", on: [node], consent: "slurm-restart", file("second")),
        ]),
])

let console = TerminalConsole()
let progress = ProgressFile(
    path: "\(folder)/progress.json", continuing: Progress(configuration: "", plan: "", began: 0))
let runner = PlanRunner(plan: plan, connector: ThisMachine(), progress: progress)
let report = await Interrupts.cancelling { await runner.walk(with: console) }
console.write("reached \(report.count(.changed) + report.count(.inPlace)), status \(report.exitStatus)\n")
exit(report.exitStatus)
