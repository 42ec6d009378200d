public import CommandExecution
import FoundationEssentials

/// Finds the programs that a deployment copies, on the machine that deploys, and checks them.
///
/// A program comes from the configuration's `artifacts`, or from where it is by default: the role monitor beside the
/// program that runs, all others from the distribution's packages. A package that is not installed is downloaded and
/// unpacked into a directory of the deployment, and never installed: that would start its services here.
public struct ProgramFinder: Sendable {
    /// What was found.
    public struct Findings: Sendable {
        /// The programs, for ``DeploymentContext/programs``.
        public var programs: [ArtifactSource.Name: [ArtifactSource.Architecture: DeploymentContext.LocalProgram]] = [:]
        /// For ``DeploymentContext/prometheusComparesAddresses``.
        public var prometheusComparesAddresses = true
        /// Everything that is missing or wrong with its key: errors, and warnings for what a run would download.
        public var issues: [ConfigurationIssue] = []
    }

    private let executor: any CommandExecutor
    private let directory: String
    private let programDirectory: String
    private let mayDownload: Bool

    /// Creates a finder.
    ///
    /// - Parameters:
    ///   - executor: runs commands on this machine.
    ///   - directory: where packages are unpacked; made when it is needed.
    ///   - programDirectory: where the running program lies, and the role monitor beside it.
    ///   - mayDownload: whether a package may be fetched; false for a dry run, which contacts nobody.
    public init(
        executor: any CommandExecutor = LocalExecutor(), directory: String, programDirectory: String,
        mayDownload: Bool = true
    ) {
        self.executor = executor
        self.directory = directory
        self.programDirectory = programDirectory
        self.mayDownload = mayDownload
    }

    /// The architecture of this machine.
    static var localArchitecture: ArtifactSource.Architecture {
        #if arch(arm64)
            .arm
        #else
            .x86
        #endif
    }

    /// The programs that these sections need.
    public func find(for configuration: DeploymentConfiguration, sections: Set<Int>) async -> Findings {
        var findings = Findings()
        for name in Self.needed(configuration, sections) {
            if let sources = configuration.artifacts[name] {
                for architecture in ArtifactSource.Architecture.all {
                    // A package here is of this machine's architecture, whatever hosts there are.
                    guard let source = sources[architecture],
                        source.isForEveryArchitecture || architecture == Self.localArchitecture
                    else { continue }
                    await add(source, name, architecture, to: &findings)
                }
            } else {
                await add(standardSource(name), name, Self.localArchitecture, to: &findings)
            }
        }
        if let program = findings.programs[.prometheus]?[Self.localArchitecture] {
            findings.prometheusComparesAddresses = await comparesAddresses(program.path)
        }
        return findings
    }

    private static func needed(_ configuration: DeploymentConfiguration, _ sections: Set<Int>) -> [ArtifactSource.Name]
    {
        var names: [ArtifactSource.Name] = []
        if sections.contains(4) { names.append(.nodeExporter) }
        if sections.contains(6), !configuration.usesExistingPrometheus { names += [.prometheus, .promtool] }
        if sections.contains(10), configuration.deploysRoleMonitor { names.append(.roleMonitor) }
        return names
    }

    private func standardSource(_ name: ArtifactSource.Name) -> ArtifactSource? {
        switch name {
        case .nodeExporter: .package("prometheus-node-exporter", binary: "/usr/bin/prometheus-node-exporter")
        case .prometheus: .package("prometheus", binary: "/usr/bin/prometheus")
        case .promtool: .package("prometheus", binary: "/usr/bin/promtool")
        default: nil
        }
    }

    // MARK: One program

    private func add(
        _ source: ArtifactSource?, _ name: ArtifactSource.Name, _ architecture: ArtifactSource.Architecture,
        to findings: inout Findings
    ) async {
        let path: String
        var expected: String?
        switch source?.location {
        case .file(let file, let sum)?: (path, expected) = (file, sum)
        case .package(let package, let binary)?:
            switch await unpacked(package, binary) {
            case .success(let found): path = found
            case .failure(let problem):
                let severity: ConfigurationIssue.Severity = mayDownload ? .error : .warning
                findings.issues.append(ConfigurationIssue(severity, "artifacts.\(name)", problem.message))
                return
            }
        case nil: path = "\(programDirectory)/\(name)"
        }
        guard let (sum, size) = await Self.digest(path) else {
            findings.issues.append(
                ConfigurationIssue(
                    .error, "artifacts.\(name)",
                    "there is no \(name) at \(path), or it cannot be read: give its path and sha256 here"))
            return
        }
        if let expected, expected != sum {
            findings.issues.append(
                ConfigurationIssue(
                    .error, "artifacts.\(name)",
                    "\(path) has the SHA-256 \(sum), not \(expected): fetch it again, or correct sha256"))
            return
        }
        findings.programs[name, default: [:]][architecture] = .init(path: path, sha256: sum, size: size)
    }

    private static func digest(_ path: String) async -> (sum: String, size: Int)? {
        // Reading takes a while: not on a thread that others wait for.
        await Task.detached {
            guard let data = try? Data(contentsOf: URL(filePath: path)), !data.isEmpty else { return nil }
            return (SHA256Digest.hex(Array(data)), data.count)
        }.value
    }

    // MARK: Packages

    private struct Problem: Error {
        let message: String
    }

    private func unpacked(_ package: String, _ binary: String) async -> Result<String, Problem> {
        if FileManager.default.isExecutableFile(atPath: binary) { return .success(binary) }
        let root = "\(directory)/\(package)"
        if FileManager.default.isExecutableFile(atPath: root + binary) { return .success(root + binary) }
        let remedy = "install the package \(package) here, or give path and sha256 of the program instead"
        guard mayDownload else {
            return .failure(
                Problem(message: "\(binary) is not on this machine; a run downloads it, or else: \(remedy)"))
        }
        let script = """
            set -e
            mkdir -p -- "${1%/*}"
            new=$(mktemp -d -- "$1.XXXXXX")
            trap 'rm -rf -- "$new"' EXIT
            trap 'exit 1' HUP INT TERM
            (cd -- "$new" && apt-get download -- "$2" >&2)
            mkdir -- "$new/root"
            dpkg-deb -x -- "$new"/*.deb "$new/root"
            rm -rf -- "$1"
            mv -T -- "$new/root" "$1"
            """
        do {
            let result = try await executor.run(
                Command("sh", ["-c", script, "sh", root, package], timeout: .seconds(300)))
            guard result.succeeded else {
                return .failure(
                    Problem(
                        message:
                            "the package \(package) cannot be downloaded: \(result.errorText.trimmed.suffix(400)); "
                            + remedy))
            }
        } catch {
            return .failure(Problem(message: "the package \(package) cannot be downloaded: \(error); \(remedy)"))
        }
        return FileManager.default.isExecutableFile(atPath: root + binary)
            ? .success(root + binary)
            : .failure(Problem(message: "the package \(package) holds no \(binary): correct \"binary\""))
    }

    /// Whether this Prometheus knows the relabel action `keepequal`: 2.41 and later do.
    private func comparesAddresses(_ path: String) async -> Bool {
        guard let result = try? await executor.run(Command(path, ["--version"], timeout: .seconds(20))) else {
            return false
        }
        return Self.comparesAddresses(version: result.outputText + result.errorText)
    }

    static func comparesAddresses(version text: String) -> Bool {
        guard let range = text.firstRange(of: "version ") else { return false }
        let numbers = text[range.upperBound...].prefix { $0.isNumber || $0 == "." }.split(separator: ".")
            .compactMap { Int($0) }
        guard numbers.count >= 2 else { return false }
        return numbers[0] > 2 || (numbers[0] == 2 && numbers[1] >= 41)
    }
}

extension ArtifactSource {
    /// Whether the source says which file it is, whatever this machine is.
    var isForEveryArchitecture: Bool {
        if case .file = location { true } else { false }
    }
}
