import RoleMonitor
import ServiceManager

/// What the monitors are configured with, from the site's configuration and from what BCM said.
struct MonitorSettings {
    /// Where a certificate that the deployment installs lies on a node.
    static let certificateFile = MonitorPaths.configurationDirectory + "/monitor.pem"
    /// Its key.
    static let keyFile = MonitorPaths.configurationDirectory + "/monitor.key"

    let monitor: MonitorConfiguration
    private let site: SiteFacts?
    private let targetsDirectory: String

    init(_ configuration: DeploymentConfiguration, _ site: SiteFacts?) {
        var monitor = MonitorConfiguration(headNodes: site?.headNodes ?? [])
        monitor.targetsDirectory = configuration.targetsDirectory
        monitor.nodeExporterPort = configuration.nodeExporterPort
        monitor.cgroupExporterPort = configuration.cgroupExporterPort
        monitor.gpuExporterPort = configuration.nvidiaGPUExporterPort
        monitor.additionalRules = configuration.monitorRules
        monitor.clusterName = configuration.clusterName
        let times = configuration.monitorTimes
        monitor.port = times.port
        monitor.checkInterval = .seconds(times.checkInterval)
        monitor.roleLossDelay = .seconds(times.roleLossDelay)
        monitor.retryInterval = .seconds(times.retryInterval)
        monitor.maximumRetries = times.maximumRetries
        monitor.giveUpInterval = .seconds(times.giveUpInterval)
        monitor.requestTimeout = .seconds(times.requestTimeout)
        monitor.targetDomain = configuration.targetDomain
        monitor.certificateFile = site?.certificate?.certificateFile ?? Self.certificateFile
        monitor.keyFile = site?.certificate?.keyFile ?? Self.keyFile
        monitor.areRolesVisible = site?.areRolesVisible ?? false
        if site?.pinnedKeys.isEmpty == false {
            monitor.pinnedKeys = site?.pinnedKeys ?? []
        } else {
            monitor.authorityFile = MonitorPaths.authorityFile
            monitor.verifiesHostname = site?.namesAreVerifiable ?? true
        }
        self.monitor = monitor
        self.site = site
        targetsDirectory = configuration.targetsDirectory
    }

    var configurationText: String { String(decoding: monitor.encoded(), as: UTF8.self) }
    var unitText: String { MonitorUnit.rendered(targetsDirectory: targetsDirectory) }

    /// The CA, the certificate and its key, those of them that are installed.
    var trustFiles: [(step: String, title: String, file: FileResource)] {
        var files: [(String, String, FileResource)] = []
        if let authority = site?.authority {
            files.append(
                (
                    "10.authority", "The cluster's CA",
                    FileResource(
                        MonitorPaths.authorityFile, .text(String(decoding: authority, as: UTF8.self)), mode: 0o600)
                ))
        }
        if let content = site?.certificate?.content {
            let certificate = String(decoding: content.certificate, as: UTF8.self)
            files.append(
                (
                    "10.certificate", "Client certificate",
                    FileResource(Self.certificateFile, .text(certificate), mode: 0o600)
                ))
            files.append(("10.key", "Client key", FileResource(Self.keyFile, .secret(content.key), mode: 0o600)))
        }
        return files
    }

    /// The configuration file; before BCM was asked, with what a person must find out to complete it.
    var configurationResource: any Resource {
        let file = FileResource(MonitorPaths.configurationFile, .text(configurationText), mode: 0o600)
        return site == nil ? OpenConfiguration(file) : file
    }

    /// Everything that a running monitor must not be older than.
    var watchedFiles: [String] {
        [MonitorPaths.program, MonitorPaths.configurationFile, MonitorPaths.unitFile] + trustFiles.map(\.file.path)
    }

    var notes: String {
        guard let site else {
            return """
                A run finds out from BCM itself: the head nodes, whether their certificates carry their names, whether REST \
                shows the role, and the least client certificate that can read devices. These stand in \
                `\(MonitorPaths.configurationFile)` afterwards.

                """
        }
        let lines = [site.certificate.map { "Client certificate: \($0.reason)." } ?? ""] + site.remarks
        return lines.filter { !$0.isEmpty }.map { "* \($0)\n" }.joined()
    }
}
