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
            steps: localChecks + hostChecks + portChecks(for: sections) + serverChecks + slurmChecks(for: sections))
        return [prerequisites] + sharedStorageSections
    }

    private var configuredHosts: [Host] {
        dgxNodes + prometheusHosts.filter { !dgxNodes.contains($0) }
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
                        Installed.cmsh, ["--color=no", "--hide-events", "-n", "-q", "-c", "cmha status"],
                        timeout: .seconds(60)),
                    judge: { HeadNodeStatus.judge($0, localHost: host.name) })),
        ]
    }

    // MARK: Every host

    private var hostChecks: [Step] {
        let hosts = configuredHosts
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
        ]
    }

    // MARK: Ports

    private func portChecks(for sections: Set<Int>) -> [Step] {
        var steps: [Step] = []
        if sections.contains(4) {
            steps.append(
                portCheck("1.port.node_exporter", configuration.nodeExporterPort, "node_exporter", on: dgxNodes))
        }
        if sections.contains(6) {
            steps.append(
                portCheck("1.port.prometheus", configuration.prometheusPort, "prometheus", on: prometheusHosts))
        }
        return steps.filter { !$0.hosts.isEmpty }
    }

    private func portCheck(_ id: String, _ port: Int, _ name: String, on hosts: [Host]) -> Step {
        Step(
            id, "Port \(port) for \(name)", on: hosts,
            ReadableCheck(
                HostChecks.port(port, for: "\(name).service"), byHand: ["ss -ltnp 'sport = :\(port)'"]))
    }

    // MARK: Names and shared storage

    private var serverChecks: [Step] {
        guard !prometheusHosts.isEmpty else { return [] }
        return [
            Step(
                "1.names", "Names of the nodes on the Prometheus server", on: prometheusHosts,
                ReadableCheck(
                    HostChecks.resolves(dgxNodes.map { targetName($0) }),
                    byHand: ["getent ahosts \(dgxNodes.first.map { targetName($0) } ?? "")  # and each other node"]))
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
