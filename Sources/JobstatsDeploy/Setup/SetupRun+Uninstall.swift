// What was deployed, taken away again.
extension SetupRun {
    /// The removal's plan, as far as it was agreed.
    func removalPlan(_ configuration: DeploymentConfiguration, _ context: DeploymentContext) throws -> Plan {
        try RemovalPlan(
            of: configuration, context: context, sections: sections,
            exporters: options.consents.contains(Consent.keepExporters.name) ? .left : .removed,
            removesData: options.consents.contains(Consent.removeData.name)
        ).plan()
    }

    /// Has it decided what becomes of the exporters: by `--allow`, or by an answer. Looking only needs no decision.
    ///
    /// - Returns: the run with the decision; nil when this one has it already.
    func decidingAboutExporters() async throws(Stop) -> SetupRun? {
        let (remove, keep) = (Consent.removeExporters.name, Consent.keepExporters.name)
        guard options.takesAway, options.mode == .run, RemovalPlan.concernsExporters(sections) else { return nil }
        guard options.consents.isDisjoint(with: [remove, keep]) else {
            if options.consents.isSuperset(of: [remove, keep]) {
                throw Stop(status: 2, message: "--allow: \(remove) and \(keep) exclude each other.")
            }
            return nil
        }
        guard console.isTerminal, !options.isNonInteractive else {
            throw Stop(
                status: 2,
                message: "--uninstall must know what becomes of the exporters: add --allow \(remove), or "
                    + "--allow \(keep) to leave them enabled and running on every node.")
        }
        let answer = await console.ask("The exporters: remove them, or keep them enabled and running? [remove/keep] ")
        if Task.isCancelled { throw Stop(status: 130, message: "Interrupted. Nothing was done.") }
        var decided = options
        switch answer {
        case "remove": decided.consents.insert(remove)
        case "keep": decided.consents.insert(keep)
        default: throw Stop(status: 1, message: "Neither remove nor keep: nothing was done.")
        }
        return SetupRun(
            options: decided, console: console, logger: logger, connector: connector, cmsh: cmsh, paths: paths)
    }

    /// What the removal left, in words for a person; empty when nothing was.
    func leftBehind(_ report: RunReport) -> String {
        var hosts: [String: [String]] = [:]
        for result in report.results {
            if let what = Assessment.whatWasLeft(result.detail) { hosts[what, default: []].append(result.host.name) }
        }
        let memory = "What is left to remember, and the backups, stay in \(Installed.stateDirectory) on each host."
        let end = options.mode == .run ? Words.wrap(memory, console.columns) + "\n" : ""
        guard !hosts.isEmpty else { return end }
        let lines = hosts.sorted { $0.key < $1.key }.map { what, hosts in
            Words.wrap(
                "\(what), on \(Words.hosts(hosts.sorted(by: HostOrder.precedes)))", console.columns, indent: "   ")
        }
        let title =
            options.mode == .run ? "Left as it is:" : "Would be left, as things stand before anything is taken away:"
        return "\n\(title)\n" + lines.joined(separator: "\n") + "\n" + end
    }
}
