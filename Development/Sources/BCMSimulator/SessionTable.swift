import Synchronization

/// The sessions of the JSON interface at one head node: who logged in, by the value of the cookie.
final class SessionTable: Sendable {
    static let cookieName = "cmdsession"

    private struct Session {
        var user: String
        var epoch: Int
    }
    private let sessions = Mutex<[String: Session]>([:])

    /// Opens a session; gives the cookie's value.
    func open(_ user: String, epoch: Int) -> String {
        let random = SystemRandomNumberGenerator.token()
        sessions.withLock { sessions in
            // Those who never log out must not fill the memory.
            if sessions.count >= 10_000 { sessions = [:] }
            sessions[random] = Session(user: user, epoch: epoch)
        }
        return random
    }

    /// Whose session it is; nil when there is none, or when it began before all were ended.
    func user(_ value: String, epoch: Int) -> String? {
        sessions.withLock { $0[value] }.flatMap { $0.epoch == epoch ? $0.user : nil }
    }

    /// Ends a session. False when there was none.
    func close(_ value: String) -> Bool { sessions.withLock { $0.removeValue(forKey: value) } != nil }
}

extension SystemRandomNumberGenerator {
    fileprivate static func token() -> String {
        var random = SystemRandomNumberGenerator()
        return (0..<2).map { _ in String(random.next(), radix: 16) }.joined()
    }
}
