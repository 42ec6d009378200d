import CommandExecution
import DurableFiles
import FoundationEssentials
import Glibc

/// Takes a bundle into the cache of programs, verified.
///
/// A bundle comes from outside, on a disk or a stick. So nothing of it is used but what its index lists, with the
/// SHA-256 that stands there; an archive with anything else in it, or with links, devices or paths that lead out of it,
/// is refused as a whole before it is unpacked.
struct BundleReader: Sendable {
    let executor: any CommandExecutor
    let cache: ProgramCache
    /// A folder, or a tar file.
    let path: String
    /// The SHA-256 that the index must have; nil takes any.
    var expected: String?

    /// Puts everything into the cache and gives the packages for hosts.
    func take() async throws(ProgramProblem) -> PackageFiles {
        let isFolder = try isFolder()
        let bytes = try await indexBytes(isFolder)
        let sum = SHA256Digest.hex(bytes)
        if let expected, expected != sum {
            throw ProgramProblem(
                "the index of the bundle \(path) has the SHA-256 \(sum), expected \(expected): it is another bundle")
        }
        let index = try BundleIndex.decode(bytes)
        if !isFolder { try await refuseHostile(index) }
        var missing: [String] = []
        for sum in index.objects.keys.sorted() where await cache.object(sum) == nil { missing.append(sum) }
        if !missing.isEmpty {
            try await cache.withWorkFolder { folder throws(ProgramProblem) in
                try await unpack(missing, isFolder, to: folder)
                for sum in missing { try await keep(sum, from: folder) }
            }
        }
        for (key, sum) in index.made { try cache.remember(key, sum) }
        return PackageFiles(
            platform: index.platform,
            files: index.packages.map {
                PackageFiles.File(
                    name: $0.name, version: $0.version,
                    content: .localFile(
                        cache.path($0.sha256), sha256: $0.sha256, size: index.objects[$0.sha256] ?? 0))
            }, closures: index.closures)
    }

    private func isFolder() throws(ProgramProblem) -> Bool {
        var status = Glibc.stat()
        guard stat(path, &status) == 0 else {
            throw ProgramProblem("the bundle \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return true
        case S_IFREG: return false
        default: throw ProgramProblem("the bundle \(path) is neither a folder nor a file")
        }
    }

    private func indexBytes(_ isFolder: Bool) async throws(ProgramProblem) -> [UInt8] {
        let name = BundleIndex.fileName
        if isFolder {
            do {
                guard let bytes = try DurableFile.read("\(path)/\(name)", limit: BundleIndex.sizeLimit) else {
                    throw ProgramProblem("the folder \(path) is no bundle: it holds no \(name)")
                }
                return bytes
            } catch let problem as ProgramProblem {
                throw problem
            } catch {
                throw ProgramProblem("\(error)")
            }
        }
        let result = try await run(
            Command(
                "tar", ["-xO", "--occurrence=1", "-f", path, "--", name], timeout: .seconds(300),
                outputLimit: BundleIndex.sizeLimit))
        guard result.succeeded else { throw ProgramProblem("\(path) is no bundle: it holds no \(name)", result) }
        return result.standardOutput
    }

    // MARK: Refusing

    private func refuseHostile(_ index: BundleIndex) async throws(ProgramProblem) {
        let allowed = index.files.union([BundleIndex.fileName, "objects/", "setup/"])
        var seen = Set<String>()
        for name in try await listing(["-tf"]) {
            guard allowed.contains(name) else {
                throw refusal("it holds \(Quoted(name)), which its index does not list")
            }
            guard seen.insert(name).inserted else { throw refusal("it holds \(Quoted(name)) twice") }
        }
        for line in try await listing(["-tvf"]) where !line.hasPrefix("-") && !line.hasPrefix("d") {
            throw refusal("it holds a link or a device: \(Quoted(line))")
        }
        if let name = index.files.subtracting(seen).min() { throw refusal("it lacks \(name), which its index lists") }
    }

    /// tar's listing; a name with a line end or anything else that cannot be shown comes escaped, in one line.
    private func listing(_ options: [String]) async throws(ProgramProblem) -> [String] {
        let result = try await run(
            Command(
                "tar", ["--quoting-style=escape"] + options + [path], environment: ["LC_ALL": "C"],
                timeout: .seconds(600), outputLimit: 8 << 20))
        guard result.succeeded else { throw ProgramProblem("\(path) cannot be read as a tar file", result) }
        return result.outputText.split(separator: "\n").map { String($0) }
    }

    private func refusal(_ reason: String) -> ProgramProblem {
        ProgramProblem("the bundle \(path) is refused: \(reason)")
    }

    // MARK: Unpacking

    private static let unpackScript = """
        set -eu
        ulimit -f \(Download.sizeLimit / 512)
        kind=$1 from=$2 to=$3
        shift 3
        mkdir -- "$to/objects"
        case $kind in
        file) exec tar -x --no-same-owner --no-same-permissions -C "$to" -f "$from" -- "$@" ;;
        folder)
            for name; do
                [ -f "$from/$name" ] && [ ! -L "$from/$name" ] || { echo "$name is missing, or a link" >&2; exit 1; }
                cp --reflink=auto --no-dereference -- "$from/$name" "$to/$name"
            done ;;
        esac
        """

    private func unpack(_ sums: [String], _ isFolder: Bool, to folder: String) async throws(ProgramProblem) {
        let result = try await run(
            Command(
                "sh",
                ["-c", Self.unpackScript, "sh", isFolder ? "folder" : "file", path, folder]
                    + sums.map { "objects/\($0)" }, timeout: .seconds(1800)))
        guard result.succeeded else { throw ProgramProblem("the bundle \(path) cannot be unpacked", result) }
    }

    private func keep(_ sum: String, from folder: String) async throws(ProgramProblem) {
        let file = "\(folder)/objects/\(sum)"
        var status = Glibc.stat()
        guard lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw refusal("objects/\(sum) is no plain file")
        }
        guard let (found, _) = await SHA256Digest.file(file), found == sum else {
            throw refusal("objects/\(sum) has another SHA-256: it is damaged, or was changed")
        }
        _ = try await cache.keep(file, expecting: sum)
    }

    private func run(_ command: Command) async throws(ProgramProblem) -> CommandResult {
        do {
            return try await executor.run(command)
        } catch {
            throw ProgramProblem("the bundle \(path) cannot be read", error)
        }
    }
}
