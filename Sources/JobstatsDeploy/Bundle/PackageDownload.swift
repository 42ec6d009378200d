import CommandExecution
import FoundationEssentials

/// Fetches packages of the distribution with all that they need on an empty system, whatever this machine has.
///
/// apt(8) resolves and verifies them: it is shown an empty list of installed packages, and installs nothing.
struct PackageDownload: Sendable {
    let executor: any CommandExecutor
    /// A folder of its own, where the files go.
    let folder: String

    /// What was fetched.
    struct Findings: Sendable {
        var platform = ""
        /// Package files by package name.
        var files: [String: (version: String, path: String)] = [:]
        var closures: [String: [String]] = [:]
    }

    private static let options = #"""
        set -- -qq -y --no-install-recommends -o "Dir::State::status=$folder/status" \
            -o "Dir::Cache::archives=$folder/archives" -o Debug::NoLocking=1 -o APT::Sandbox::User=root "$@"
        """#

    /// Arguments: the folder, and what apt-get is to install. Prints the names of the files that it needs.
    private static let script = """
        set -eu
        folder=$1
        shift
        mkdir -p -- "$folder/archives/partial" "$folder/none/partial"
        : >"$folder/status"
        \(options)
        # apt leaves out what is in the cache already; with an empty one it names all. Of an option the last one counts.
        apt-get install --print-uris "$@" -o "Dir::Cache::archives=$folder/none" | grep -v "^'file:" || :
        apt-get install --download-only "$@" >&2
        """

    private static let describe = """
        cd -- "$1" && for file in *.deb; do
            [ -e "$file" ] || continue
            printf '%s\\t' "$file"
            dpkg-deb -W --showformat='${Package}\\t${Version}\\n' "$file" || exit 1
        done
        """

    /// Fetches packages by name, and what package files of this machine need, these by the package's name.
    func fetch(_ packages: [String], files: [String: String] = [:]) async throws(ProgramProblem) -> Findings {
        var findings = Findings()
        let platform = try await run("this machine's distribution cannot be found out", PackageResource.platform)
        findings.platform = platform.trimmed
        var lists: [(root: String, files: [String])] = []
        for package in packages { lists.append((package, try await fetch(package))) }
        for (name, path) in files.sorted(by: { $0.key < $1.key }) {
            // apt takes a word for a file when it holds a slash and ends so.
            let file = "\(folder)/own/\(name).deb"
            _ = try await run(
                "\(path) cannot be copied",
                Command("install", ["-D", "-m", "0644", "--", path, file], timeout: .seconds(120)))
            let version = try await run(
                "\(path) is no package", Command("dpkg-deb", ["-f", "--", file, "Version"], timeout: .seconds(60)))
            findings.files[name] = (version.trimmed, file)
            lists.append((name, try await fetch(file)))
        }
        var names: [String: String] = [:]
        let archives = "\(folder)/archives"
        let described = try await run(
            "the packages cannot be read", Command("sh", ["-c", Self.describe, "sh", archives]))
        for line in described.split(separator: "\n") {
            let fields = line.split(separator: "\t").map { String($0) }
            guard fields.count == 3 else { continue }
            names[fields[0]] = fields[1]
            findings.files[fields[1]] = (fields[2], "\(archives)/\(fields[0])")
        }
        for (root, list) in lists {
            // apt writes a colon of a version as %3a in the file's name, here as there.
            let needed = list.compactMap { names[$0] }
            guard needed.count == list.count else {
                throw ProgramProblem("the package \(root) was not fetched with all that it needs; try again")
            }
            findings.closures[root] = needed + (files[root] == nil ? [] : [root])
        }
        return findings
    }

    private func fetch(_ package: String) async throws(ProgramProblem) -> [String] {
        let output = try await run(
            "the package \(package) cannot be fetched (is apt-get update due, and its repository configured here?)",
            Command(
                "sh", ["-c", Self.script, "sh", folder, package],
                environment: ["DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"], timeout: .seconds(1800)))
        return Self.fileNames(output)
    }

    /// The file names in apt-get's `--print-uris`: `'URI' FILE SIZE SUM`.
    static func fileNames(_ output: String) -> [String] {
        output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard line.hasPrefix("'"), fields.count >= 3, fields[1].hasSuffix(".deb") else { return nil }
            return String(fields[1])
        }
    }

    private func run(_ failure: String, _ command: Command) async throws(ProgramProblem) -> String {
        do {
            let result = try await executor.run(command)
            guard result.succeeded else { throw ProgramProblem(failure, result) }
            return result.outputText
        } catch let error as CommandError {
            throw ProgramProblem(failure, error)
        } catch let problem as ProgramProblem {
            throw problem
        } catch {
            throw ProgramProblem("\(failure): \(error)")
        }
    }
}
