import CommandExecution
import FoundationEssentials
import Testing

@testable import RoleMonitor

struct MonitorUnitTests {
    @Test func pathsOfTheConfigurationBecomeWritable() throws {
        let text = MonitorUnit.rendered(targetsDirectory: "/data/my targets", metricsTextfile: "/var/m/x.prom")
        #expect(text.contains("\nReadWritePaths=\"-/data/my targets\"\nReadWritePaths=-/var/m\n"))
        #expect(!MonitorUnit.rendered(metricsTextfile: nil).contains("textfile_collector"))
    }

    @Test func noPathCanAddALineToTheUnit() {
        let text = MonitorUnit.rendered(targetsDirectory: "/a\nExecStart=/bin/false\n\\")
        #expect(text.contains("/aExecStart=/bin/false"))
        #expect(
            text.split(separator: "\n").filter { $0.hasPrefix("ExecStart=") } == [
                "ExecStart=/usr/local/bin/bcm-role-monitor"
            ])
    }

    @Test func unitHoldsWhatTheMonitorReliesOn() throws {
        let lines = MonitorUnit.rendered().split(separator: "\n").map(String.init)
        for line in [
            "Type=notify", "RestartPreventExitStatus=2", "Restart=on-failure", "WatchdogSec=120",
            "ExecStart=/usr/local/bin/bcm-role-monitor", "After=network-online.target remote-fs.target",
            "After=node_exporter.service cgroup_exporter.service nvidia_gpu_exporter.service",
            "StateDirectoryMode=0700", "ConfigurationDirectoryMode=0700", "RuntimeDirectoryMode=0700",
            "ReadWritePaths=-/cm/shared/apps/jobstats/prometheus-targets",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
    }

    @Test func everyProtectionThatIsLeftOutIsExplained() throws {
        let text = MonitorUnit.rendered()
        for name in [
            "ProtectHostname", "PrivateUsers", "PrivateNetwork", "IPAddressDeny", "ProcSubset", "RootDirectory", "User",
            "DynamicUser",
        ] {
            #expect(!text.contains("\n\(name)="), "\(name) is set")
            #expect(text.split(separator: "\n").contains { $0.hasPrefix("#") && $0.contains("\(name)=") }, "\(name)")
        }
    }

    @Test(.enabled(if: Tool.systemdAnalyze != nil, "systemd-analyze is not installed"))
    func systemdFindsTheUnitValidAndHardened() async throws {
        let folder = try TemporaryFolder()
        let unit = folder.path("bcm-role-monitor.service")
        try folder.write("bcm-role-monitor.service", MonitorUnit.rendered())
        let executor = LocalExecutor()
        let verified = try await executor.run(Command("systemd-analyze", ["verify", "--man=no", unit]))
        // The program and the targets it waits for are not installed here; nothing else may be found.
        let complaints = verified.errorText.split(separator: "\n").filter {
            $0.contains(unit) && !$0.contains("is not executable") || $0.contains("Unknown")
        }
        #expect(complaints.isEmpty, "\(verified.errorText)")
        let rated = try await executor.run(
            Command("systemd-analyze", ["security", "--no-pager", "--offline=true", unit]))
        let line = try #require(rated.outputText.split(separator: "\n").first { $0.contains("Overall exposure level") })
        let number = try #require(line.split(separator: " ").compactMap { Double($0) }.first)
        #expect(number <= 2.5, "\(rated.outputText)")
    }
}

/// Programs that may be missing on a developer's machine.
enum Tool {
    static let systemdAnalyze = find("systemd-analyze")
    static let promtool = find("promtool")

    private static func find(_ name: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/", "/usr/sbin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// A folder that goes away with its owner.
final class TemporaryFolder: Sendable {
    let root: String

    init() throws {
        root = "/tmp/role-monitor-test-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { "\(root)/\(name)" }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    }

    func read(_ name: String) -> String? {
        (try? Data(contentsOf: URL(fileURLWithPath: path(name)))).map { String(decoding: $0, as: UTF8.self) }
    }

    func names(_ folder: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []).sorted()
    }
}
