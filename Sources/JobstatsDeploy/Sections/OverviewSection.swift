import BCMClient
import CommandExecution
import FoundationEssentials

extension JobstatsPlan {
    /// Section 1: what will happen where, and whether the hosts are ready for it.
    ///
    /// Three parts: prerequisites, which only look; a marker that each DGX node writes on shared storage; and the
    /// servers reading these.
    func overviewSections(for sections: Set<Int>) throws -> [PlanSection] {
        let prerequisites = PlanSection(
            number: 1, title: "Overview and prerequisites",
            purpose:
                "Jobstats shows users what their jobs make of CPUs, GPUs and memory. Exporters on the compute nodes "
                + "give metrics, Prometheus collects them, and Grafana, Open OnDemand and the jobstats command show "
                + "them for each job. First, every host is looked at, so that what is missing shows before anything "
                + "is changed.",
            link: PrincetonPage.link("overview"), onlyLooks: true,
            steps: localChecks + hostChecks(for: sections) + portChecks(for: sections) + programChecks(for: sections)
                + serverChecks + slurmChecks(for: sections))
        return [prerequisites] + sharedStorageSections
    }

    /// The hosts that these sections work on.
    private func configuredHosts(for sections: Set<Int>) -> [Host] {
        var hosts = dgxNodes + prometheusHosts
        if sections.contains(7) { hosts += grafanaHosts }
        if sections.contains(9), !context.skips("jobstats") { hosts += commandHosts }
        if sections.contains(5) { hosts += context.hosts(configuration.systems.slurmController) }
        return Self.unique(hosts)
    }

    // MARK: This machine

    private var localChecks: [Step] {
        let host = context.localHost
        return [
            Step(
                "1.root", "Administrator's rights", on: [host], essential: true,
                CheckResource("this runs as root", Command("id", ["-u"])) { result in
                    result.outputText.trimmed == "0"
                        ? .inPlace("root")
                        : .blocked("this does not run as root", remedy: "run it with sudo, or as root")
                }),
            Step(
                "1.active", "Active head node", on: [host], essential: true,
                CheckResource(
                    "this is the active BCM head node",
                    Command(
                        BCMPaths.cmsh, ["--color=no", "--hide-events", "-n", "-q", "-c", "cmha status"],
                        timeout: .seconds(60)),
                    judge: { HeadNodeStatus.judge($0, localHost: host.name) })),
        ]
    }

    // MARK: Every host

    private func hostChecks(for sections: Set<Int>) -> [Step] {
        let hosts = configuredHosts(for: sections)
        return [
            Step(
                "1.name", "Reached by SSH, and of the right name",
                perHost: Dictionary(hosts.map { ($0, HostChecks.name(of: $0)) }) { first, _ in first }),
            Step("1.clock", "Clock", on: hosts, HostChecks.clock),
            Step(
                "1.system", "Operating system", on: hosts,
                ReadableCheck(
                    HostChecks.system,
                    byHand: ["uname -m", "systemctl --version", "stat -fc %T /sys/fs/cgroup", "cat /etc/os-release"])),
            Step("1.disk", "Free disk space", on: hosts, HostChecks.disk),
        ].filter { !$0.hosts.isEmpty } + headNodeChecks(for: sections)
    }

    /// The role monitors ask BCM: here this head node, in section 10 the others that BCM names.
    private func headNodeChecks(for sections: Set<Int>) -> [Step] {
        guard sections.contains(10), configuration.deploysRoleMonitor, !dgxNodes.isEmpty else { return [] }
        return [headNodeStep("1.head-node", "This head node as the nodes reach it", [context.localHost.name])]
    }

    /// For section 10, which knows all head nodes.
    var otherHeadNodeSteps: [Step] {
        let others = (context.facts?.headNodes ?? []).filter {
            $0.prefix { $0 != "." }.lowercased() != context.localHost.name.prefix { $0 != "." }.lowercased()
        }
        guard !others.isEmpty, !dgxNodes.isEmpty else { return [] }
        return [headNodeStep("10.head-nodes", "The other head nodes as the nodes reach them", others)]
    }

    private func headNodeStep(_ id: String, _ title: String, _ names: [String]) -> Step {
        let port = configuration.monitorTimes.port
        return Step(
            id, title, on: dgxNodes,
            ReadableCheck(
                HostChecks.reaches(names, port: port),
                byHand: names.map { "timeout 5 bash -c " + ShellQuoting.quote("exec 3<>/dev/tcp/\($0)/\(port)") }))
    }

    // MARK: Ports and programs

    /// What listens: its section, its name, its unit, its port and its hosts.
    private func portChecks(for sections: Set<Int>) -> [Step] {
        let listeners: [(section: Int, name: String, unit: String, port: Int, hosts: [Host])] = [
            (2, "cgroup_exporter", "cgroup_exporter.service", configuration.cgroupExporterPort, dgxNodes),
            (3, "nvidia_gpu_exporter", "nvidia_gpu_exporter.service", configuration.nvidiaGPUExporterPort, dgxNodes),
            (4, "node_exporter", "node_exporter.service", configuration.nodeExporterPort, dgxNodes),
            (6, "prometheus", Installed.prometheusUnit, configuration.prometheusPort, prometheusHosts),
            (7, "grafana", Installed.grafanaUnit, configuration.grafanaPort, grafanaHosts),
        ]
        return listeners.filter { sections.contains($0.section) && !$0.hosts.isEmpty && !context.skips($0.name) }.map {
            Step(
                "1.port.\($0.name)", "Port \($0.port) for \($0.name)", on: $0.hosts,
                ReadableCheck(
                    HostChecks.port($0.port, for: $0.unit, of: $0.name), byHand: ["ss -ltnp 'sport = :\($0.port)'"]))
        }
    }

    /// Whether what is copied exists for each host's architecture.
    private func programChecks(for sections: Set<Int>) -> [Step] {
        var onNodes: [(section: Int, name: ArtifactSource.Name)] = [
            (2, .cgroupExporter), (3, .nvidiaGPUExporter), (4, .nodeExporter),
        ]
        if configuration.deploysRoleMonitor { onNodes.append((10, .roleMonitor)) }
        return [
            programCheck("1.programs.nodes", onNodes, sections, on: dgxNodes),
            programCheck("1.programs.server", [(6, .prometheus), (6, .promtool)], sections, on: prometheusHosts),
        ].compactMap { $0 }
    }

    private func programCheck(
        _ id: String, _ names: [(section: Int, name: ArtifactSource.Name)], _ sections: Set<Int>, on hosts: [Host]
    ) -> Step? {
        let available = names.compactMap { section, name -> (name: String, architectures: Set<String>)? in
            guard sections.contains(section), !context.skips("\(name)"), let programs = context.programs[name] else {
                return nil
            }
            return ("\(name)", Set(programs.keys.map(\.description)))
        }
        guard !available.isEmpty, !hosts.isEmpty else { return nil }
        return Step(id, "Programs for the architecture", on: hosts, HostChecks.programs(available))
    }

    // MARK: Names and shared storage

    private var serverChecks: [Step] {
        guard !prometheusHosts.isEmpty else { return [] }
        return [
            Step(
                "1.names", "Names of the nodes on the Prometheus server", on: prometheusHosts,
                ReadableCheck(
                    HostChecks.resolves(dgxNodes.map { targetName($0) }),
                    byHand: ["getent ahosts \(dgxNodes.first.map { targetName($0) } ?? "")  # and each other node"])),
            Step(
                "1.space", "Room for the samples", on: prometheusHosts,
                ReadableCheck(
                    HostChecks.space(
                        for: StorageEstimate(nodes: dgxNodes.count, days: configuration.prometheusRetentionDays),
                        in: Installed.prometheusData),
                    byHand: ["df -h \(Installed.prometheusData)  # or where it will be"])),
        ]
    }

    /// Each DGX node writes a small file on shared storage, and the Prometheus servers must see all of them.
    private var sharedStorageSections: [PlanSection] {
        let directory = configuration.targetsDirectory
        // Prometheus reads *.json alone; a directory of another name is nothing to it.
        let markers = "\(directory)/.seen-from"
        guard !dgxNodes.isEmpty else { return [] }
        func marker(_ host: Host) -> String { "\(markers)/\(Self.shortName(host))" }
        var written: [Step] = [
            Step(
                "1.markers", "Markers on shared storage",
                perHost: Dictionary(
                    dgxNodes.map { ($0, MarkerResource(marker($0), "\(Self.shortName($0))\n") as any Resource) }
                ) { first, _ in first })
        ]
        written.insert(
            Step(
                "1.shared", "Shared storage is mounted", on: dgxNodes,
                ReadableCheck(HostChecks.mounted(directory), byHand: ["findmnt -T \(ShellQuoting.quote(directory))"])),
            at: 0)
        let writing = PlanSection(
            number: 1, title: "Shared storage",
            purpose:
                "Each DGX node leaves a small file on shared storage, and the Prometheus server must see it there: "
                + "a directory of the same name on a local disk would look right on each host and connect nothing.",
            steps: written)
        guard !prometheusHosts.isEmpty else { return [writing] }
        let reading = PlanSection(
            number: 1, title: "Shared storage as Prometheus sees it",
            purpose: "The Prometheus server sees the file of every DGX node.",
            steps: [
                Step(
                    "1.markers-seen", "Markers seen on the Prometheus server", on: prometheusHosts,
                    MarkersSeen(in: markers, of: dgxNodes.map { Self.shortName($0) }))
            ])
        return [writing, reading]
    }
}
