import Glibc
import JobstatsDeploy

/// Says what a deployment would do on which hosts, with a section of the site's own at its end; no host is contacted.
///
///     show-plan config.json 4
///
/// Exit status: 0 done, 1 the plan cannot be made, 2 the configuration is wrong, or usage.
func makePlan(_ configuration: DeploymentConfiguration, sections: Set<Int>) throws -> Plan {
    let context = DeploymentContext(localHost: Host("head-a", isLocal: true))
    var plan = try JobstatsPlan(configuration: configuration, context: context).plan(sections: sections)
    let note = FileResource("/etc/motd.d/jobstats", .text("Jobs on this node are measured: see jobstats JOBID.\n"))
    plan.sections.append(
        PlanSection(
            number: 11, title: "Site", purpose: "Users learn that the node is monitored.",
            steps: [Step("11.note", "Message of the day", on: plan.hosts, note)]))
    return plan
}

func show(_ plan: Plan) {
    for section in plan.sections {
        print("\(section.number). \(section.title)")
        for step in section.steps {
            let hosts = step.hosts.map(\.name).joined(separator: ", ")
            print("  \(step.title): \(hosts)" + (step.consent.map { " (needs --allow \($0))" } ?? ""))
        }
    }
}

let words = CommandLine.arguments
let sections = Set(words.dropFirst(2).compactMap { Int($0) })
guard words.count > 2, sections.isSubset(of: JobstatsPlan.availableSections) else {
    print("usage: show-plan FILE SECTION ...")
    exit(2)
}
let reading = DeploymentConfiguration.load(path: words[1], sections: sections)
for warning in reading.warnings { print(warning) }
do {
    show(try makePlan(try reading.get(), sections: sections))
} catch let error as ConfigurationError {
    // Everything that is wrong, with line and column.
    print(error)
    exit(2)
} catch {
    print(error)
    exit(1)
}
