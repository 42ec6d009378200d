import FoundationEssentials
import Glibc

/// A new directory; whoever makes it removes it.
struct TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/prom-targets-tests-XXXXXX".utf8CString)
        path = try template.withUnsafeMutableBufferPointer { buffer in
            guard let made = buffer.baseAddress.flatMap({ mkdtemp($0) }) else { throw CocoaError(.fileWriteUnknown) }
            return String(cString: made)
        }
    }

    /// Removes it with everything in it.
    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// A file's bytes, or nil when it cannot be read.
func contents(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

/// Writes a file as it comes.
func put(_ text: String, at path: String) throws { try Data(text.utf8).write(to: URL(filePath: path)) }

/// All names in a directory, sorted.
func entries(_ path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

/// A file's mode bits.
func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
}
