import DurableFiles
import FoundationEssentials
import Glibc

/// The files of an export, by their paths in its folder.
struct ExportFolder {
    private(set) var files: [String: FileContent] = [:]
    private var programs = Set<String>()

    /// Adds a text.
    mutating func add(_ path: String, _ text: String, isExecutable: Bool = false) {
        files[path] = .text(text)
        if isExecutable { programs.insert(path) }
    }

    /// Adds what hosts get, under a path that its digest makes unique.
    mutating func add(_ content: FileContent, named name: String) -> String {
        let isHarmless = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
        let path = "files/\(content.sha256.prefix(12))/\(isHarmless ? name : "file")"
        files[path] = content
        return path
    }

    /// A line with the SHA-256 of each file that hosts get, as sha256sum(1) checks them.
    var sums: String {
        files.filter { $0.key.hasPrefix("files/") }.sorted { $0.key < $1.key }
            .map { "\($0.value.sha256)  \($0.key)\n" }.joined()
    }

    /// The file that says that a folder is an export, which the next one may replace.
    static let mark = ".bcm-jobstats-export"

    /// Writes everything to a folder that is new, empty, or an earlier export; the folder is complete or not there.
    ///
    /// - Parameter whenReady: is done when all is written and nothing is in its place yet; for tests.
    /// - Throws: ``ResourceError`` naming the folder and what is wrong with it.
    func write(to folder: String, whenReady: () -> Void = {}) throws(ResourceError) {
        let folder = folder.count > 1 && folder.hasSuffix("/") ? String(folder.dropLast()) : folder
        let manager = FileManager.default
        let present = try? manager.contentsOfDirectory(atPath: folder)
        if let present, !present.isEmpty, !present.contains(Self.mark) {
            throw ResourceError("\(folder) holds other files", remedy: "name a new or an empty directory with --output")
        }
        let new = "\(folder).new-\(UInt32.random(in: .min ... .max))"
        let old = "\(folder).old-\(UInt32.random(in: .min ... .max))"
        do {
            defer { try? manager.removeItem(atPath: new) }
            try manager.createDirectory(atPath: new, withIntermediateDirectories: true)
            try DurableFile.write([], to: "\(new)/\(Self.mark)")
            for (path, content) in files {
                try Self.goOn()
                let directory = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
                if !directory.isEmpty {
                    try manager.createDirectory(atPath: "\(new)/\(directory)", withIntermediateDirectories: true)
                }
                let mode: mode_t = programs.contains(path) ? 0o755 : 0o644
                try DurableFile.write(try content.bytes(), to: "\(new)/\(path)", mode: mode)
            }
            try Self.goOn()
            whenReady()
            if present != nil { try Self.rename(folder, to: old) }
            do {
                try Self.rename(new, to: folder)
            } catch {
                if present != nil { _ = Glibc.rename(old, folder) }
                throw error
            }
            if present != nil { try? manager.removeItem(atPath: old) }
        } catch let error as ResourceError {
            throw error
        } catch let error as DurableFileError {
            throw ResourceError("\(error)", remedy: "mend that, or name another directory with --output")
        } catch {
            throw ResourceError(
                "\(folder) cannot be written: \(error)", remedy: "mend that, or name another directory with --output")
        }
    }

    /// Ends the work when the task was cancelled.
    ///
    /// - Throws: ``ResourceError``; what was begun is taken away on the way.
    static func goOn() throws(ResourceError) {
        if Task.isCancelled { throw ResourceError("the export was interrupted", remedy: "run it again") }
    }

    /// Moves a folder to a place where nothing is but an empty folder.
    private static func rename(_ path: String, to new: String) throws(ResourceError) {
        guard Glibc.rename(path, new) != 0 else { return }
        let number = errno
        if [ENOENT, EEXIST, ENOTEMPTY].contains(number) {
            let folder = number == ENOENT ? path : new
            throw ResourceError(
                "another export wrote \(folder) meanwhile",
                remedy: "look whether that one serves; otherwise run this again when the other has ended")
        }
        throw ResourceError(
            "\(path) cannot be moved to \(new): \(String(cString: strerror(number)))",
            remedy: "mend that, or name another directory with --output")
    }
}
