import Glibc

/// Reading of PEM files, with errors that a person can act on.
enum PEMFile {
    /// Larger files are no certificates or keys.
    static let limit = 1 << 20

    static func read(_ file: String, what: String) throws(BCMError) -> [UInt8] {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable(file, errno, what: what) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        var filled = 0
        while true {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(file, errno, what: what)
            }
            if count == 0 { break }
            filled += count
            if filled == bytes.count {
                guard filled < limit else { throw notOne(file, bytes, what: what) }
                bytes += [UInt8](repeating: 0, count: filled)
            }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    static func unreadable(_ file: String, _ number: CInt, what: String) -> BCMError {
        let cause = String(cString: strerror(number))
        if number == ENOENT || number == ENOTDIR {
            return BCMError(
                .notFound, reason: "there is no \(what) file \(quoted(file))",
                remedy: "check the path, or copy it there")
        }
        return BCMError(
            .invalidConfiguration, reason: "the \(what) file \(quoted(file)) cannot be read: \(cause)",
            remedy: number == EACCES ? "run as root, or as the file's owner" : nil)
    }

    /// The error for a file without a certificate or key, which says what it holds instead.
    static func notOne(_ file: String, _ bytes: [UInt8], what: String) -> BCMError {
        let cause: String
        if bytes.isEmpty {
            cause = "it is empty"
        } else if let label = label(bytes) {
            cause = label.hasSuffix(what.uppercased()) ? "its contents are damaged" : "it begins with \(quoted(label))"
        } else {
            cause = "it has no PEM text"
        }
        return BCMError(
            .invalidConfiguration, reason: "the file \(quoted(file)) holds no \(what): \(cause)",
            remedy: "give a PEM file, which begins with -----BEGIN \(what.uppercased())-----")
    }

    /// What the first line of the kind `-----BEGIN X-----` calls the contents.
    private static func label(_ bytes: [UInt8]) -> String? {
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard line.hasPrefix("-----BEGIN "), let end = line.dropFirst(11).firstIndex(of: "-") else { continue }
            return String(line.dropFirst(11)[..<end])
        }
        return nil
    }
}
