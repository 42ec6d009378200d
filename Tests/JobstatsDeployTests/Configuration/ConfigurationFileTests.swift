import Glibc
import JobstatsDeploy
import SystemPackage
import Testing

@Suite struct ConfigurationFileTests {
    /// A directory that goes away with the closure.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let path = "/tmp/jobstats-configuration-\(UInt64.random(in: 0 ... .max))"
        #expect(mkdir(path, 0o700) == 0)
        defer {
            for name in ["config.json", "pipe"] { unlink("\(path)/\(name)") }
            rmdir(path)
        }
        try body(path)
    }

    private func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
        let file = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        defer { try? file.close() }
        try file.writeAll(bytes)
        fchmod(file.rawValue, mode)
    }

    @Test func aMissingFileIsAnErrorThatSaysHowToMakeOne() throws {
        try withDirectory { directory in
            let path = "\(directory)/config.json"
            let reading = DeploymentConfiguration.load(path: path)
            #expect(
                reading.texts == [
                    "error: there is no file \(path): make one with setup-wizard --config \(path), or name another with "
                        + "--config FILE"
                ])
            let error = #expect(throws: ConfigurationError.self) { try reading.get() }
            #expect(error?.code == .unreadable)
            #expect(error?.description.hasPrefix("\(path): unreadable configuration, 1 error:\n  error: ") == true)
        }
    }

    @Test func whatIsNoFileIsRefusedWithoutWaiting() throws {
        try withDirectory { directory in
            #expect(
                DeploymentConfiguration.load(path: directory).texts == [
                    "error: \(directory) is a directory: name the file itself"
                ])
            let pipe = "\(directory)/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            #expect(
                DeploymentConfiguration.load(path: pipe).texts == [
                    "error: \(pipe) is no regular file: name the file itself"
                ])
            #expect(DeploymentConfiguration.load(path: "").errors.count == 1)
        }
    }

    @Test func aGoodFileIsReadAndLaxPermissionsAreNoted() throws {
        try withDirectory { directory in
            let path = "\(directory)/config.json"
            try write(makeFile(), to: path)
            #expect(DeploymentConfiguration.load(path: path).texts == [])
            try write(makeFile(), to: path, mode: 0o666)
            let reading = DeploymentConfiguration.load(path: path)
            #expect(
                reading.texts == [
                    "warning: everyone may write \(path), which decides what root does: chmod o-w \(path)"
                ])
            #expect(reading.configuration != nil)
        }
    }

    @Test func aHugeFileIsNotRead() throws {
        try withDirectory { directory in
            let path = "\(directory)/config.json"
            try write([], to: path)
            #expect(truncate(path, 5 << 20) == 0)
            #expect(
                DeploymentConfiguration.load(path: path).texts == [
                    "error: \(path) has 5242880 bytes, more than any configuration needs"
                ])
        }
    }

    @Test func damageIsToldWithItsLine() throws {
        try withDirectory { directory in
            let path = "\(directory)/config.json"
            try write(Array("{\n\"a\": 1,\n}".utf8), to: path)
            let error = #expect(throws: ConfigurationError.self) { try DeploymentConfiguration.load(path: path).get() }
            #expect(error?.code == .invalid)
            #expect(
                error?.description == """
                    \(path): invalid configuration, 1 error:
                      error: this is not JSON: a comma after the last entry is not allowed in JSON: remove it (line 2, column 7)
                    """)
        }
    }

    @Test(arguments: ["config.json.template", "config-shared-hosts.json", "config-existing-monitoring.json"])
    func theTemplatesAreValidAndFreeOfWarnings(_ name: String) throws {
        let root = #filePath.split(separator: "/").prefix { $0 != "Tests" }.map { "/\($0)" }.joined() + "/"
        let reading = DeploymentConfiguration.load(path: root + "automation/configs/" + name)
        #expect(reading.texts == [])
        #expect(try !reading.get().systems.dgxNodes.isEmpty)
    }

    /// The shape of files that sites have from the earlier version: other keys, another directory beside no switch.
    @Test func earlierFilesKeepWorking() throws {
        let reading = DeploymentConfiguration.parse(
            makeFile([
                "bcm_category_management": "true", "slurm_category": #""dgx""#, "kubernetes_category": #""k8s""#,
                "prometheus_targets_dir": #""/cm/shared/apps/jobstats/targets/""#,
            ]))
        #expect(
            reading.warnings.map(\.keyPath) == [
                "bcm_category_management", "kubernetes_category", "slurm_category", "prometheus_targets_dir",
            ])
        #expect(try reading.get().targetsDirectory == DeploymentConfiguration.defaultTargetsDirectory)
    }
}
