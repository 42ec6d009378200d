public import CommandExecution

/// User name and password, for those who have no certificate.
public struct Credentials: Sendable, Hashable {
    /// The user's name.
    public var username: String
    /// The password. It is sent to a server that the trust settings accept, and to no other.
    public var password: Secret

    /// Creates credentials.
    public init(username: String, password: Secret) {
        self.username = username
        self.password = password
    }

    /// Checks that HTTP basic authentication can carry them (RFC 7617, 2).
    func validate() throws(BCMError) {
        let isFit =
            !username.isEmpty && username.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") }
        guard isFit else {
            throw BCMError(
                .invalidConfiguration, reason: "\(quoted(username)) is no user name",
                remedy: "give a name without colons and control characters")
        }
        guard password.reveal({ !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }) else {
            throw BCMError(
                .invalidConfiguration,
                reason: "the password of \(quoted(username)) is empty or holds a control character",
                remedy: "check where it was read from")
        }
    }
}
