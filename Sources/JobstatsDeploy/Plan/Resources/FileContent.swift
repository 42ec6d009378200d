import CommandExecution
import DurableFiles
import Synchronization
import COpenSSL

/// The bytes that a file shall have.
public struct FileContent: Sendable, Hashable {
    private enum Source: Sendable, Hashable {
        case bytes([UInt8], isText: Bool, isSecret: Bool)
        case localFile(LocalFile)
    }
    private let source: Source
    /// SHA-256 in lower-case hexadecimal digits.
    public let sha256: String
    /// The number of bytes.
    public let size: Int

    /// Text, shown in full in documents.
    public static func text(_ text: String) -> FileContent {
        let bytes = Array(text.utf8)
        return FileContent(.bytes(bytes, isText: true, isSecret: false), SHA256Digest.hex(bytes), bytes.count)
    }

    /// Bytes that are no text and no secret.
    static func data(_ bytes: [UInt8]) -> FileContent {
        FileContent(.bytes(bytes, isText: false, isSecret: false), SHA256Digest.hex(bytes), bytes.count)
    }

    /// Bytes that no document, difference or message may show.
    public static func secret(_ bytes: [UInt8]) -> FileContent {
        FileContent(.bytes(bytes, isText: false, isSecret: true), SHA256Digest.hex(bytes), bytes.count)
    }

    /// A file on the machine where the plan runs, such as a program; read when it is needed, and refused when its
    /// SHA-256 is not this one.
    public static func localFile(_ path: String, sha256: String, size: Int) -> FileContent {
        FileContent(.localFile(LocalFile(path)), sha256.lowercased(), size)
    }

    private init(_ source: Source, _ sha256: String, _ size: Int) {
        self.source = source
        self.sha256 = sha256
        self.size = size
    }

    /// The text, when it may be shown.
    public var text: String? {
        if case .bytes(let bytes, isText: true, isSecret: false) = source {
            return String(decoding: bytes, as: UTF8.self)
        }
        return nil
    }

    /// The local file it is copied from, if it is.
    public var localPath: String? {
        if case .localFile(let file) = source { file.path } else { nil }
    }

    /// Whether it must not be shown.
    public var isSecret: Bool {
        if case .bytes(_, _, isSecret: true) = source { true } else { false }
    }

    /// The bytes. A local file is read now and must have the promised SHA-256.
    public func bytes() throws(ResourceError) -> [UInt8] {
        switch source {
        case .bytes(let bytes, _, _): return bytes
        case .localFile(let file): return try file.bytes(sha256: sha256)
        }
    }
}

/// A file of this machine, read and verified once for all hosts that it is copied to.
private final class LocalFile: Sendable, Hashable {
    let path: String
    private let verified = Mutex<[UInt8]?>(nil)

    init(_ path: String) { self.path = path }

    func bytes(sha256: String) throws(ResourceError) -> [UInt8] {
        try verified.withLock { verified throws(ResourceError) in
            if let verified { return verified }
            let read: [UInt8]?
            do {
                read = try DurableFile.read(path, limit: 1 << 30)
            } catch {
                throw ResourceError("\(error)", remedy: "mend that, or correct the configuration")
            }
            guard let read else {
                throw ResourceError("\(path) is gone", remedy: "put it there again, or correct the configuration")
            }
            guard SHA256Digest.hex(read) == sha256 else {
                throw ResourceError(
                    "\(path) has another SHA-256 than \(sha256)", remedy: "fetch it again, or correct the configuration"
                )
            }
            verified = read
            return read
        }
    }

    static func == (left: LocalFile, right: LocalFile) -> Bool { left.path == right.path }
    func hash(into hasher: inout Hasher) { hasher.combine(path) }
}

/// SHA-256 through libcrypto (FIPS 180-4).
package enum SHA256Digest {
    /// The digest as lower-case hexadecimal digits.
    package static func hex(_ bytes: [UInt8]) -> String { hex(digest: self.bytes(bytes)) }

    /// The digest's own bytes.
    static func bytes(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        return digest
    }

    /// A digest's own bytes as hexadecimal digits.
    static func hex(digest: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
