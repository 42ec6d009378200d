import COpenSSL
import Glibc

extension SHA256Digest {
    /// The SHA-256 and the size of a plain file, read piece by piece; nil when it cannot be read or holds nothing.
    static func file(_ path: String) async -> (sum: String, size: Int)? {
        // Reading takes a while: not on a thread that others wait for.
        await Task.detached { read(path) }.value
    }

    private static func read(_ path: String) -> (sum: String, size: Int)? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 else { return nil }
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { return nil }
        var chunk = [UInt8](repeating: 0, count: 1 << 20)
        var size = 0
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if count == 0 { break }
            guard EVP_DigestUpdate(context, chunk, count) == 1 else { return nil }
            size += count
        }
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { return nil }
        return (hex(digest: digest), size)
    }
}
