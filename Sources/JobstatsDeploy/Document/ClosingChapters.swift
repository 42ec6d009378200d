import CommandExecution

/// How a deployment is verified and undone: the end of its document.
struct ClosingChapters {
    let plan: Plan
    let configuration: DeploymentConfiguration

    var markdown: String { verifying + "\n" + undoing }

    private var verifying: String {
        let server = "\(configuration.prometheusServer):\(configuration.prometheusPort)"
        let query = ShellQuoting.quote(
            "http://\(server)/api/v1/query?query=count by (job) (up)".replacing(" ", with: "%20"))
        return """
            ## How to verify it

            `guided-setup --check` looks at every host and says of each step whether it is in place; it changes nothing. \
            Whether metrics arrive shows Prometheus: the number of nodes that are scraped, by exporter.

            \(Markdown.block("curl -s \(query)", language: "sh"))
            """
    }

    private var undoing: String {
        var text = """
            ## How to undo it

            `guided-setup --uninstall` takes away what was deployed and is still as deployed, puts back what stood there \
            before, and names what it leaves; `guided-setup --uninstall --check` says beforehand what that would be. By \
            hand, as root, in this order:

            """
        // What several steps need goes with the first of them, which comes last.
        var commands: [(hosts: String, command: String)] = []
        var seen: [String: Set<String>] = [:]
        for section in plan.sections {
            for step in section.steps {
                for group in StepGroup.groups(of: step) {
                    let names = HostRange.compress(group.hosts.map(\.name))
                    let role = names.utf8.count > 200 ? TopologyTable.role(of: group.hosts, in: configuration) : nil
                    let hosts = role ?? Markdown.code(names)
                    let new = group.instructions.undo.filter { seen[hosts, default: []].insert($0).inserted }
                    commands += new.reversed().map { (hosts, $0) }
                }
            }
        }
        var groups: [(hosts: String, commands: [String])] = []
        for (hosts, command) in commands.reversed() {
            if groups.last?.hosts == hosts {
                groups[groups.count - 1].commands.append(command)
            } else {
                groups.append((hosts, [command]))
            }
        }
        for group in groups {
            text += "\nOn \(group.hosts):\n\n"
            text += Markdown.block(group.commands.joined(separator: "\n"), language: "sh")
        }
        return text
    }
}
