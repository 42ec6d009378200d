import CommandExecution
import Subprocess
import Synchronization

/// What is known about one attempt to use `ssh`, and what its failure means.
final class SSHDiagnosis: Sendable {
    private struct State {
        var errors: [UInt8] = []
        var greeted = false
        var timedOut: Duration?
    }
    private let state = Mutex(State())
    private let host: String
    private let options: SSHOptions

    init(host: String, options: SSHOptions) {
        self.host = host
        self.options = options
    }

    func noteGreeting() { state.withLock { $0.greeted = true } }

    /// Keeps the last words that `ssh` itself said.
    func collect(_ sequence: SubprocessOutputSequence) async {
        do {
            for try await chunk in sequence {
                chunk.withUnsafeBytes { bytes in
                    state.withLock { state in
                        state.errors.append(contentsOf: bytes)
                        if state.errors.count > 4096 { state.errors.removeFirst(state.errors.count - 4096) }
                    }
                }
            }
        } catch {
            // What was read so far is all there is.
        }
    }

    /// Ends the process after a time, unless cancelled before.
    func endAfter(_ time: Duration, _ end: @escaping @Sendable () -> Void) -> Task<Void, Never> {
        Task.detached { [self] in
            guard (try? await Task.sleep(for: time)) != nil else { return }
            state.withLock { $0.timedOut = time }
            end()
        }
    }

    /// What an error means, and whether another attempt may help.
    func explain(_ error: any Error) -> (error: CommandError, mayRetry: Bool) {
        let (words, greeted, timedOut) = state.withLock {
            (String(decoding: $0.errors, as: UTF8.self), $0.greeted, $0.timedOut)
        }
        func failure(_ code: CommandError.Code, _ reason: String) -> CommandError {
            CommandError(code, executable: "ssh", host: host, reason: reason)
        }
        if let timedOut {
            return (failure(.timedOut, "the host gave no answer within \(timedOut.components.seconds) s"), false)
        }
        if error is CancellationError || Task.isCancelled { return (failure(.cancelled, "the run was stopped"), false) }
        if let error = error as? SubprocessError, error.code == .executableNotFound {
            return (failure(.notFound, "there is no ssh program in PATH; install openssh-client"), false)
        }
        let last = words.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
        if greeted {
            let reason = (error as? FrameReader.Broken)?.reason ?? "\(error)"
            return (failure(.connectionLost, last.isEmpty ? reason : "\(reason): \(last)"), false)
        }
        for (sign, advice, mayRetry) in Self.signs where words.contains(sign) {
            return (failure(.connectionLost, "\(last.isEmpty ? sign : last). \(advice)"), mayRetry)
        }
        let reason = (error as? FrameReader.Broken)?.reason ?? "\(error)"
        let remedy = "Try: ssh \(ShellQuoting.quote(host)) true"
        return (failure(.connectionLost, (last.isEmpty ? reason : last) + ". " + remedy), false)
    }

    /// What ssh(1) says, what to do about it, and whether trying again can help.
    private static let signs: [(String, String, Bool)] = [
        (
            "Host key verification failed",
            "Its host key is unknown or has changed: compare it, then update known_hosts", false
        ),
        ("Permission denied", "Its account does not accept this key: check authorized_keys", false),
        ("Could not resolve hostname", "The name is unknown: check the configuration, DNS and /etc/hosts", false),
        ("No route to host", "It is off or not on this network", false),
        ("Connection timed out", "It is off or its network drops packets", false),
        ("Network is unreachable", "This machine has no route to it", false),
        ("Connection refused", "Its sshd is not running", true),
        ("kex_exchange_identification", "Its sshd is overloaded or refuses this machine", true),
        ("Connection reset by peer", "Its sshd is overloaded or was restarted", true),
        ("Connection closed by", "Its sshd is overloaded or refuses this machine", true),
        ("sudo:", "sudo must work there without a password", false),
    ]
}
