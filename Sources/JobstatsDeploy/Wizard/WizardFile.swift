import DurableFiles
import FoundationEssentials
import Glibc

/// The configuration file as the wizard found it, and its replacement.
struct WizardFile: Sendable {
    /// Where it lies, with symbolic links followed, so that they stay.
    let path: String
    /// What stands in it; nil when there is none.
    let bytes: [UInt8]?
    private let mode: mode_t

    /// Reads the file.
    ///
    /// - Throws: ``SetupWizard/Stop`` when it is there and cannot be read, or cannot be written later: better said before
    ///   the questions than after them.
    init(_ path: String) throws(SetupWizard.Stop) {
        guard !path.isEmpty, !path.contains("\0") else {
            throw SetupWizard.Stop(status: 2, message: "\(Quoted(path)) is not a file's name")
        }
        let real = realpath(path, nil)
        defer { free(real) }
        self.path = real.map { String(cString: $0) } ?? path
        var status = stat()
        let isThere = stat(self.path, &status) == 0
        if isThere, status.st_mode & S_IFMT != S_IFREG {
            throw SetupWizard.Stop(status: 2, message: "\(path) is no regular file: name another one with --config")
        }
        mode = isThere ? status.st_mode & 0o777 : 0o644
        do {
            bytes = try DurableFile.read(self.path, limit: DeploymentConfiguration.fileLimit)
        } catch {
            throw SetupWizard.Stop(status: 2, message: "\(error)")
        }
        let folder = Self.nearestFolder(of: self.path)
        guard access(folder, W_OK | X_OK) == 0 else {
            let reason = String(cString: strerror(errno))
            throw SetupWizard.Stop(
                status: 2,
                message: "\(path) could not be written, since \(folder) cannot: \(reason). Run it as root, or name "
                    + "another file with --config")
        }
    }

    /// The text; nil when there is no file.
    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// Replaces the file at once, unless somebody else has changed it since it was read.
    func replace(with new: [UInt8]) throws(SetupWizard.Stop) {
        let now: [UInt8]?
        do {
            now = try DurableFile.read(path, limit: DeploymentConfiguration.fileLimit)
        } catch {
            throw SetupWizard.Stop(status: 1, message: "\(error). Nothing was written.")
        }
        guard now == bytes else {
            throw SetupWizard.Stop(
                status: 1,
                message: "Somebody changed \(path) meanwhile. Nothing was written; run this again to begin with the "
                    + "present file.")
        }
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        if now == nil, !folder.isEmpty {
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        do {
            try DurableFile.write(new, to: path, mode: mode)
        } catch {
            throw SetupWizard.Stop(status: 1, message: "\(error). The file is as it was.")
        }
    }

    /// The folder that the file lies in, or would be made in.
    private static func nearestFolder(of path: String) -> String {
        var folder = path
        repeat {
            folder = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
            if folder.isEmpty { folder = "/" }
        } while folder != "/" && folder != "." && access(folder, F_OK) != 0
        return folder
    }
}
