import CommandExecution
import FoundationEssentials

/// A package of the distribution of which one program is wanted. It is unpacked, and never installed: that would start
/// its services here.
struct DistributionPackage: Sendable {
    let executor: any CommandExecutor
    let name: String
    /// The program's path in the package.
    let binary: String
    /// Where packages are unpacked, each in a folder of its name.
    let directory: String

    /// The program's path, when it is installed or was unpacked here before.
    var present: String? {
        [binary, "\(directory)/\(name)\(binary)"].first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Downloads and unpacks the package; apt(8) verifies it.
    func unpack() async throws(ProgramProblem) -> String {
        let root = "\(directory)/\(name)"
        do {
            let result = try await executor.run(
                Command("sh", ["-c", Self.script, "sh", root, name], timeout: .seconds(300)))
            guard result.succeeded else { throw ProgramProblem("the package \(name) cannot be downloaded", result) }
        } catch let error as CommandError {
            throw ProgramProblem("the package \(name) cannot be downloaded", error)
        } catch let problem as ProgramProblem {
            throw problem
        } catch {
            throw ProgramProblem("the package \(name) cannot be downloaded: \(error)")
        }
        guard FileManager.default.isExecutableFile(atPath: root + binary) else {
            throw ProgramProblem("the package \(name) holds no \(binary): correct \"binary\"")
        }
        return root + binary
    }

    private static let script = """
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
}
