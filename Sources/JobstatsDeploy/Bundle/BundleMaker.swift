public import CommandExecution
import DurableFiles
import FoundationEssentials
import Glibc

/// Makes a bundle: one folder or tar file with everything that a deployment needs, for a site without internet.
///
/// ```
/// index.json          what is in it, with sizes and SHA-256
/// objects/SHA256      release archives, built programs, jobstats, packages of the distribution
/// setup/              this project's own programs, from where guided-setup --bundle is run
/// ```
public struct BundleMaker: Sendable {
    /// What was made.
    public struct Report: Sendable {
        /// Folder or file.
        public var path: String
        /// The SHA-256 of its index, which pins all of it.
        public var indexSHA256: String
        /// Bytes of all files together.
        public var size: Int
        /// The programs with their architecture and source, one in a line.
        public var programs: [String]
        /// How many packages of the distribution it holds, and for which.
        public var packages: String
        /// What it does not hold, and why that may matter.
        public var remarks: [String]
    }

    /// Why there is no bundle.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// What failed on which file or address, and what to do.
        public let description: String
    }

    /// This project's own programs.
    static let tools = ["guided-setup", "deploy-role-monitor", "bcm-role-monitor"]
    /// Packages that sections install on hosts.
    static let hostPackages = ["python3-requests", "python3-blessed"]

    private let executor: any CommandExecutor
    private let directory: String
    private let programDirectory: String
    private let manifest: ArtifactManifest
    private let onWork: @Sendable (String) -> Void
    /// The programs that are left out.
    public var leftOut: Set<String> = []
    /// Whether packages of the distribution are left out.
    public var withoutPackages = false

    /// Creates a maker.
    ///
    /// - Parameters:
    ///   - executor: runs commands on this machine.
    ///   - directory: the cache of programs.
    ///   - programDirectory: where this project's own programs lie.
    ///   - manifest: where programs come from that the configuration does not name.
    ///   - onWork: is told in words what takes a while.
    public init(
        executor: any CommandExecutor = LocalExecutor(), directory: String, programDirectory: String,
        manifest: ArtifactManifest = .standard, onWork: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.executor = executor
        self.directory = directory
        self.programDirectory = programDirectory
        self.manifest = manifest
        self.onWork = onWork
    }

    /// Makes a bundle.
    ///
    /// - Parameters:
    ///   - output: the folder, or the file when it ends in `.tar`; there must be nothing of that name yet.
    ///   - configuration: says where programs come from, and which are not deployed.
    ///   - architectures: those of the hosts; this machine's is always among them.
    public func make(
        _ output: String, for configuration: DeploymentConfiguration,
        architectures: Set<ArtifactSource.Architecture> = []
    ) async throws(Failure) -> Report {
        do {
            return try await bundle(output, configuration, architectures)
        } catch {
            throw Failure(description: error.description)
        }
    }

    private func bundle(
        _ output: String, _ configuration: DeploymentConfiguration, _ architectures: Set<ArtifactSource.Architecture>
    ) async throws(ProgramProblem) -> Report {
        guard access(output, F_OK) != 0 else {
            throw ProgramProblem("\(output) is there already: choose another name for --output, or remove it")
        }
        var index = BundleIndex()
        var remarks: [String] = []
        let cache = ProgramCache(directory)
        var finder = ProgramFinder(
            executor: executor, directory: directory, programDirectory: programDirectory, manifest: manifest,
            onWork: onWork)
        finder.needsArchives = true
        let found = await finder.find(
            for: configuration, sections: DeploymentConfiguration.allSections, architectures: architectures,
            except: leftOut.union(["\(ArtifactSource.Name.roleMonitor)"]))
        let errors = found.issues.filter { $0.severity == .error }
        guard errors.isEmpty else {
            throw ProgramProblem(
                errors.map(\.description).joined(separator: "\n") + "\nTo make a bundle without one: --without NAME")
        }
        var files: [String: String] = [:]
        for supply in found.supplies {
            for object in supply.objects {
                index.objects[object.sha256] = object.size
                files["objects/\(object.sha256)"] = object.path
            }
            if let made = supply.made { index.made[made.key] = made.sha256 }
            index.origins.append(
                .init(
                    name: supply.name.description, architecture: supply.architecture?.description ?? "any",
                    source: supply.source))
        }
        for name in leftOut.sorted() { remarks.append("\(name) is left out") }
        for tool in Self.tools {
            let path = "\(programDirectory)/\(tool)"
            guard let (sum, _) = await SHA256Digest.file(path) else {
                remarks.append("\(tool) is not in it: there is none in \(programDirectory)")
                continue
            }
            index.tools.append(.init(name: tool, sha256: sum))
            files["setup/\(tool)"] = path
        }
        return try await cache.withWorkFolder { folder throws(ProgramProblem) in
            if !withoutPackages {
                remarks += try await addPackages(found, configuration, folder, &index, &files)
            }
            return try await write(index, files, remarks, to: output)
        }
    }

    private func addPackages(
        _ found: ProgramFinder.Findings, _ configuration: DeploymentConfiguration, _ folder: String,
        _ index: inout BundleIndex, _ files: inout [String: String]
    ) async throws(ProgramProblem) -> [String] {
        var remarks: [String] = []
        var names = Self.hostPackages
        let needsGrafana = !configuration.usesExistingGrafana && !leftOut.contains("grafana")
        var ownFiles: [String: String] = [:]
        if needsGrafana, let file = found.programs[.grafana]?[ProgramFinder.localArchitecture] {
            ownFiles["grafana"] = file.path
        } else if needsGrafana {
            let known = try? await executor.run(Command("apt-cache", ["show", "--", "grafana"], timeout: .seconds(60)))
            if known?.succeeded == true {
                names.append("grafana")
            } else {
                remarks.append(
                    "grafana is not in it: no repository here has it; configure Grafana's, or name its package file "
                        + "at artifacts.grafana")
            }
        }
        onWork("Fetching packages: \(names.joined(separator: ", "))")
        let packages = try await PackageDownload(executor: executor, folder: "\(folder)/packages")
            .fetch(names, files: ownFiles)
        index.platform = packages.platform
        index.closures = packages.closures
        for (name, file) in packages.files {
            guard let (sum, size) = await SHA256Digest.file(file.path) else {
                throw ProgramProblem("\(file.path) cannot be read")
            }
            index.packages.append(.init(name: name, version: file.version, sha256: sum))
            index.objects[sum] = size
            files["objects/\(sum)"] = file.path
        }
        return remarks
    }

    // MARK: Writing

    /// Arguments: the new folder, the output, its kind; then pairs of a name in the bundle and a file.
    private static let script = """
        set -eu
        umask 022
        new=$1 output=$2 kind=$3
        shift 3
        trap 'rm -rf -- "$new" "$new.tar"' EXIT
        trap 'exit 1' HUP INT TERM
        mkdir -- "$new/objects" "$new/setup"
        while [ $# -ge 2 ]; do
            cp --reflink=auto -- "$2" "$new/$1"
            case $1 in setup/*) chmod 0755 -- "$new/$1" ;; *) chmod 0644 -- "$new/$1" ;; esac
            shift 2
        done
        chmod 0755 -- "$new"
        if [ "$kind" = tar ]; then
            tar -c --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -f "$new.tar" -C "$new" \\
                index.json objects setup
            sync -- "$new.tar"
            mv -nT -- "$new.tar" "$output"
            [ ! -e "$new.tar" ]
        else
            mv -nT -- "$new" "$output"
            [ ! -e "$new" ]
        fi
        """

    private func write(
        _ index: BundleIndex, _ files: [String: String], _ remarks: [String], to output: String
    ) async throws(ProgramProblem) -> Report {
        onWork("Writing \(output)")
        let bytes = index.encoded()
        var template = Array("\(output).XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ProgramProblem("\(output) cannot be made: \(String(cString: strerror(errno)))")
        }
        let new = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            try DurableFile.write(bytes, to: "\(new)/\(BundleIndex.fileName)")
            let pairs = files.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
            let result = try await executor.run(
                Command(
                    "sh", ["-c", Self.script, "sh", new, output, output.hasSuffix(".tar") ? "tar" : "folder"] + pairs,
                    timeout: .seconds(1800)))
            guard result.succeeded else { throw ProgramProblem("\(output) cannot be written", result) }
        } catch {
            try? FileManager.default.removeItem(atPath: new)
            throw error as? ProgramProblem ?? ProgramProblem("\(output) cannot be written: \(error)")
        }
        return Report(
            path: output, indexSHA256: SHA256Digest.hex(bytes), size: index.objects.values.reduce(0, +),
            programs: index.origins.map { "\($0.name) (\($0.architecture)) from \($0.source)" },
            packages: index.packages.isEmpty
                ? "none" : "\(Words.count(index.packages.count, "package")) for \(index.platform)",
            remarks: remarks)
    }
}
