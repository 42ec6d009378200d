import CommandExecution
import JobstatsDeploy

/// Looks, changes and looks again on two hosts, by a plan that none of the library's sections is in.
let folder = CommandLine.arguments[1]
let hosts = ["node-1", "node-2"].map { Host($0) }
for host in hosts { _ = try await LocalExecutor().run(Command("touch", ["\(folder)/\(host).motd"])) }

var lines: [Host: any Resource] = [:]
for host in hosts { lines[host] = LineResource(path: "\(folder)/\(host).motd", line: "monitored since \(host)'s boot") }
let section = PlanSection(
    number: 11, title: "Message of the day", purpose: "Users learn that the node is monitored.",
    steps: [
        Step("11.line", "Line in the message", perHost: lines),
        Step(
            "11.loud", "Line in capitals", on: hosts, consent: "loud",
            LineResource(path: "\(folder)/node-1.motd", line: "MONITORED")),
    ])
let plan = Plan(sections: [section])

func run(_ options: PlanRunner.Options) async {
    let report = await PlanRunner(plan: plan, connector: GentleConnector(), options: options).run()
    for result in report.results.sorted(by: { ($0.host, $0.step) < ($1.host, $1.step) }) {
        print(result.host, result.step, result.outcome)
    }
    print("status \(report.exitStatus), connections \(report.connections)")
}
await run(.init(mode: .check))
await run(.init())
await run(.init(mode: .check, consents: ["loud"]))

// The same facts without a runner, as a test of the resource asks for them.
let resource = LineResource(path: "\(folder)/node-2.motd", line: "monitored since node-2's boot")
print(resource.assess(try await Facts.collect(resource.queries, with: GentleConnection())).state)
print(resource.assess(Facts()).state)

let configuration = try DeploymentConfiguration.parse(
    Array(#"{"systems": {"dgx_nodes": ["node-[1-2]"]}}"#.utf8), sections: [4]
).get()
let document = DeploymentDocument(plan: plan, configuration: configuration, kind: .dryRun, headNode: "head-a")
print(document.markdown.contains("Message of the day") && document.markdown.contains("grep -Fx"))
