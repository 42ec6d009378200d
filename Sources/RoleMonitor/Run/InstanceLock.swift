internal import Glibc

/// The lock that makes a monitor the only one on its node. It ends with the process, however that ends.
package final class InstanceLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: ``MonitorError``: `alreadyRunning` with the process that holds it, or `unusable`.
    package init(directory: String) throws(MonitorError) {
        let path = "\(directory)/lock"
        if mkdir(directory, 0o700) != 0, errno != EEXIST {
            throw MonitorError(.unusable, "cannot make the directory \(directory): \(Self.reason); run as root")
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600 as mode_t)
        guard descriptor >= 0 else {
            throw MonitorError(.unusable, "cannot open the lock \(path): \(Self.reason); run as root")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            var bytes = [UInt8](repeating: 0, count: 32)
            let count = max(pread(descriptor, &bytes, bytes.count, 0), 0)
            let process = String(decoding: bytes[..<count], as: UTF8.self).filter(\.isNumber)
            guard number == EWOULDBLOCK else {
                throw MonitorError(.unusable, "cannot lock \(path): \(String(cString: strerror(number)))")
            }
            throw MonitorError(
                .alreadyRunning,
                "another bcm-role-monitor runs on this node" + (process.isEmpty ? "" : ", process \(process)")
                    + "; it holds \(path)")
        }
        let text = Array("\(getpid())\n".utf8)
        ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    deinit { close(descriptor) }

    private static var reason: String { String(cString: strerror(errno)) }
}
