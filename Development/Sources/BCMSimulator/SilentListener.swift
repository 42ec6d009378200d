import Glibc

/// A port whose TCP handshakes get no answer.
///
/// The kernel drops connection requests to a listening socket whose queue is full: the queue holds one connection, which
/// this type makes itself and never accepts.
final class SilentListener: Sendable {
    private let descriptors: [Int32]

    /// Occupies the port.
    init(address: String, port: Int) throws {
        let listener = try BoundSocket.make(address: address, port: port)
        guard listen(listener, 0) == 0 else {
            close(listener)
            throw BoundSocket.Failure(description: "\(address):\(port): \(String(cString: strerror(errno)))")
        }
        descriptors = [listener] + (0..<2).compactMap { _ in BoundSocket.connecting(to: address, port: port) }
    }

    deinit {
        // A child process that was just forked still holds the listener; shut down, it listens no more even so.
        if let listener = descriptors.first { shutdown(listener, Int32(SHUT_RDWR)) }
        for descriptor in descriptors { close(descriptor) }
    }
}
