import CommandExecution
import Glibc

/// A tar or zip archive on this machine, verified, of which one file is wanted.
struct ReleaseArchive: Sendable {
    let executor: any CommandExecutor
    /// Where it lies.
    let path: String
    /// Where it came from, for messages.
    let origin: String

    /// tar(1) finds out the compression by itself. The first file of a name counts, as in an archive read in order.
    private static let script = """
        set -eu
        ulimit -f \(Download.sizeLimit / 512)
        case $1 in
        tar) exec tar -xO --occurrence=1 -f "$2" -- "$3" >"$4" ;;
        zip) exec unzip -p "$2" "$3" >"$4" ;;
        esac
        """

    private static let listing = """
        case $1 in
        tar) tar -tf "$2" --quoting-style=escape ;;
        zip) unzip -Z1 "$2" ;;
        esac | head -n 12
        """

    /// Writes the content of one member to a path; links and folders have none.
    func extract(_ member: String, to output: String) async throws(ProgramProblem) {
        let kind = try kind()
        do {
            let result = try await executor.run(
                Command("sh", ["-c", Self.script, "sh", kind, path, member, output], timeout: .seconds(300)))
            guard result.succeeded else {
                throw ProgramProblem(
                    "\(origin) holds no \(member) that can be unpacked\(try await contents(kind))", result)
            }
        } catch let error as CommandError {
            throw ProgramProblem("\(origin) cannot be unpacked", error)
        } catch let problem as ProgramProblem {
            throw problem
        } catch {
            throw ProgramProblem("\(origin) cannot be unpacked: \(error)")
        }
        var status = stat()
        guard stat(output, &status) == 0, status.st_size > 0 else {
            throw ProgramProblem("\(member) in \(origin) is no file, or empty: correct \"member\"")
        }
    }

    private func kind() throws(ProgramProblem) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ProgramProblem("\(path) cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4)
        _ = read(file, &bytes, 4)
        return bytes == [0x50, 0x4B, 0x03, 0x04] ? "zip" : "tar"
    }

    private func contents(_ kind: String) async throws(CommandError) -> String {
        let result = try await executor.run(
            Command("sh", ["-c", Self.listing, "sh", kind, path], timeout: .seconds(60)))
        let names = result.outputText.split(separator: "\n").prefix(12).map { ForeignText.printable(String($0)) }
        return names.isEmpty ? "" : " (it holds \(names.joined(separator: ", ")))"
    }
}
