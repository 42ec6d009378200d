import FoundationEssentials
import Glibc

/// A new directory that is removed with everything in it after the body.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/prom-targets-tests-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let path = try template.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress, let made = mkdtemp(base) else { throw CocoaError(.fileWriteUnknown) }
        return String(cString: made)
    }
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
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
