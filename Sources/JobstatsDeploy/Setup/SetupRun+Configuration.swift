// What is asked for: the configuration with the command line over it, and the hosts to work on.
extension SetupRun {
    func readConfiguration() throws(Stop) -> DeploymentConfiguration {
        let missing = sections.subtracting(JobstatsPlan.availableSections).sorted()
        guard missing.isEmpty else {
            let have = JobstatsPlan.availableSections.sorted().map(String.init).joined(separator: ", ")
            let numbers = missing.map(String.init).joined(separator: ", ")
            throw Stop(status: 2, message: "--section: there is no section \(numbers) here; there are \(have)")
        }
        if options.configurationFile.isEmpty {
            var configuration = DeploymentConfiguration()
            try override(&configuration)
            return configuration
        }
        // Nodes on the command line take the place of the file's, so the file need not name any.
        let reading = DeploymentConfiguration.load(
            path: options.configurationFile, sections: options.nodes.isEmpty ? sections : [])
        for warning in reading.warnings { console.writeError("\(warning)\n") }
        do {
            var configuration = try reading.get()
            try override(&configuration)
            return configuration
        } catch let error as ConfigurationError {
            throw Stop(status: 2, message: "\(error)")
        } catch let stop as Stop {
            throw stop
        } catch {
            throw Stop(status: 2, message: "\(error)")
        }
    }

    /// Puts what the command line says over what the file says.
    private func override(_ configuration: inout DeploymentConfiguration) throws(Stop) {
        if !options.nodes.isEmpty {
            configuration.systems.dgxNodes = try Self.expand(options.nodes, "--dgx-nodes")
            configuration.deploysRoleMonitor = true
        }
        if let directory = options.targetsDirectory {
            configuration.customTargetsDirectory = directory
            configuration.usesCustomTargetsDirectory = true
        }
        let errors = configuration.issues(sections: sections).filter { $0.severity == .error }
        guard errors.isEmpty else {
            throw Stop(status: 2, message: errors.map(\.description).joined(separator: "\n"))
        }
    }

    static func expand(_ entries: [String], _ option: String) throws(Stop) -> [String] {
        var names: [String] = []
        for entry in entries {
            for part in entry.split(separator: " ") {
                do {
                    names += try HostRange.expand(String(part), limit: 10_000)
                } catch {
                    throw Stop(
                        status: 2, message: "\(option) \(entry.debugDescription): not a host name or a range of them")
                }
            }
        }
        var seen = Set<String>()
        return names.filter { seen.insert($0).inserted }
    }

    /// The hosts that `--limit` names; nil for all. A name that the configuration lacks is an error, not nothing to do.
    func hostLimit(_ configuration: DeploymentConfiguration) throws(Stop) -> Set<String>? {
        guard !options.limit.isEmpty else { return nil }
        let names = Set(try Self.expand(options.limit, "--limit"))
        let unknown = names.subtracting(configuration.hosts)
        guard unknown.isEmpty else {
            throw Stop(
                status: 2,
                message:
                    "--limit: not among the hosts of \(options.configurationFile): \(Words.hosts(unknown.sorted()))")
        }
        return names
    }
}
