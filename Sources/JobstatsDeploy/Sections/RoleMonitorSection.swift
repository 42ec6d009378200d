import CommandExecution
import RoleMonitor
import ServiceManager

/// Section 10: the BCM role monitor on each DGX node.
public enum RoleMonitorSection {
    /// The loader's cache is long, so the usual folders come first.
    private static let findsLibrary = """
        for file in /usr/lib/*-linux-gnu/libcurl.so.4 /usr/lib64/libcurl.so.4; do
            [ ! -e "$file" ] || exit 0
        done
        case $(ldconfig -p) in *libcurl.so.4*) ;; *) exit 1 ;; esac
        """

    /// The section.
    ///
    /// - Parameters:
    ///   - site: what BCM says of the site; nil in a dry run, which contacts nothing.
    ///   - configuration: the site's configuration.
    ///   - nodes: the DGX nodes.
    ///   - program: the monitor's program, as a resource.
    public static func section(
        _ configuration: DeploymentConfiguration, on nodes: [Host], site: SiteFacts?, program: any Resource
    ) -> PlanSection {
        let settings = MonitorSettings(configuration, site)
        var library = CheckResource(
            "the shared library libcurl.so.4 is there",
            Command("sh", ["-c", Self.findsLibrary])
        ) {
            $0.succeeded
                ? .inPlace() : .blocked("libcurl.so.4 is missing", remedy: "apt-get install libcurl4")
        }
        library.concernsImages = true
        library.isIndependent = true
        var steps = [
            Step("10.library", "libcurl on the node", on: nodes, library),
            Step(
                "10.retire-python", "Earlier Python monitor retired", on: nodes,
                RetiredFileResource("/usr/local/bin/bcm_role_monitor.py", reason: "the program here replaces it")),
            Step(
                "10.folder", "Configuration folder", on: nodes,
                DirectoryResource(MonitorPaths.configurationDirectory, mode: 0o700)),
            Step(
                "10.targets", "Targets directory", on: nodes,
                DirectoryResource(configuration.targetsDirectory)),
            Step(
                "10.program", "Program", on: nodes, program),
        ]
        for (name, title, file) in settings.trustFiles { steps.append(Step(name, title, on: nodes, file)) }
        steps += [
            Step(
                "10.configuration", "Configuration", on: nodes,
                settings.configurationResource),
            Step(
                "10.unit-file", "Unit file", on: nodes,
                FileResource(MonitorPaths.unitFile, .text(settings.unitText))),
            Step(
                "10.unit", "Unit enabled and running", on: nodes,
                UnitResource(
                    MonitorPaths.unitName, enabled: true, .running, restartedFor: settings.watchedFiles
                ).unnoticed()),
        ]
        let verifications = nodes.map { ($0, MonitorVerification(on: $0, settings, site) as any Resource) }
        steps.append(
            Step(
                "10.verified", "First check succeeded",
                perHost: Dictionary(verifications) { first, _ in first }))
        return PlanSection(
            number: 10, title: "BCM role monitor",
            purpose: """
                A small agent on each DGX node asks BCM whether the node has the role \(settings.monitor.role), runs the \
                exporters while it has, stops them while it has not, and keeps the node's Prometheus target file in step. \
                Without it, exporters would run and be scraped on nodes that do not run Slurm jobs.
                """,
            steps: steps, notes: settings.notes)
    }
}
