import DurableFiles
import FoundationEssentials
import Glibc

/// Files on this machine by their SHA-256, and what was made of what.
///
/// A file gets its name, `objects/SHA256`, when it is whole and verified, by rename(2); so several runs can use a cache
/// at once, and one that is killed leaves nothing that another would take for a program. Whatever is taken from the
/// cache is read and verified again, and thrown away when it is damaged.
///
/// `derived/KEY` remembers the SHA-256 of what was unpacked or built, KEY being the SHA-256 of a text that says from
/// what and how.
struct ProgramCache: Sendable {
    let directory: String

    init(_ directory: String) {
        // Programs that work elsewhere are given its paths.
        let isAbsolute = directory.hasPrefix("/")
        self.directory = isAbsolute ? directory : "\(FileManager.default.currentDirectoryPath)/\(directory)"
    }

    private var objects: String { "\(directory)/objects" }
    private var records: String { "\(directory)/derived" }

    /// Where the file of this SHA-256 lies, or would.
    func path(_ sha256: String) -> String { "\(objects)/\(sha256)" }

    // MARK: Taking

    /// The file of this SHA-256, verified; nil when it is not here.
    func object(_ sha256: String) async -> DeploymentContext.LocalProgram? {
        let path = path(sha256)
        guard let (sum, size) = await SHA256Digest.file(path) else { return nil }
        guard sum == sha256 else {
            unlink(path)
            return nil
        }
        return .init(path: path, sha256: sum, size: size)
    }

    /// What was made before under this key, verified; nil when it is not here.
    func made(_ key: String) async -> DeploymentContext.LocalProgram? {
        guard let bytes = try? DurableFile.read(record(key), limit: 8192) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
        guard lines.count == 2, lines[1] == key, ValueRules.sha256(lines[0]) == nil else { return nil }
        return await object(lines[0])
    }

    private func record(_ key: String) -> String { "\(records)/\(SHA256Digest.hex(Array(key.utf8)))" }

    // MARK: Keeping

    /// Gives a file of a work folder its place here.
    ///
    /// - Parameter expected: the SHA-256 that it was promised to have; nil takes any.
    func keep(
        _ file: String, expecting expected: String? = nil
    ) async throws(ProgramProblem) -> DeploymentContext.LocalProgram {
        guard let (sum, size) = await SHA256Digest.file(file) else {
            throw ProgramProblem("\(file) cannot be read, or is empty")
        }
        guard expected == nil || expected == sum else {
            throw ProgramProblem("\(file) has the SHA-256 \(sum), not \(expected ?? "")")
        }
        try Self.make(objects)
        let path = path(sum)
        guard chmod(file, 0o755) == 0, Self.flush(file), rename(file, path) == 0 else {
            throw ProgramProblem("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        _ = Self.flush(objects)
        return .init(path: path, sha256: sum, size: size)
    }

    /// Remembers what was made under this key, which is one line.
    func remember(_ key: String, _ sha256: String) throws(ProgramProblem) {
        try Self.make(records)
        do {
            try DurableFile.write(Array("\(sha256)\n\(key)\n".utf8), to: record(key))
        } catch {
            throw ProgramProblem("\(error)")
        }
    }

    // MARK: Working

    /// Runs the work with a folder of its own on the cache's file system, which is removed afterwards.
    func withWorkFolder<Result>(
        _ work: (String) async throws(ProgramProblem) -> Result
    ) async throws(ProgramProblem) -> Result {
        try Self.make(directory)
        removeAbandoned()
        var template = Array("\(directory)/work.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ProgramProblem("cannot make a folder in \(directory): \(String(cString: strerror(errno)))")
        }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await work(folder)
    }

    /// Removes the work folders of runs that were killed; young ones may be in use.
    private func removeAbandoned() {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return }
        for name in names where name.hasPrefix("work.") {
            var status = stat()
            let path = "\(directory)/\(name)"
            guard lstat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 86_400 else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    static func make(_ folder: String) throws(ProgramProblem) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw ProgramProblem("cannot make the folder \(folder): \(String(cString: strerror(errno)))")
        }
    }

    private static func flush(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        return fsync(file) == 0
    }
}
