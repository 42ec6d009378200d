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
    /// - Throws: ``ResourceError`` naming the folder and what is wrong with it.
    func write(to folder: String) throws(ResourceError) {
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
                let directory = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
                if !directory.isEmpty {
                    try manager.createDirectory(atPath: "\(new)/\(directory)", withIntermediateDirectories: true)
                }
                let mode: mode_t = programs.contains(path) ? 0o755 : 0o644
                try DurableFile.write(try content.bytes(), to: "\(new)/\(path)", mode: mode)
            }
            if present != nil { try manager.moveItem(atPath: folder, toPath: old) }
            try manager.moveItem(atPath: new, toPath: folder)
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
}
