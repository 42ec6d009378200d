/// Which client certificate the monitors use.
public struct MonitorCertificateChoice: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case automatic
        case node
        case profile(String)
        case administrator
    }
    let kind: Kind

    /// The least that works, found by trying: the node's own, otherwise one made for a profile that reads devices only.
    public static let automatic = MonitorCertificateChoice(kind: .automatic)
    /// The node's own CMDaemon certificate.
    public static let node = MonitorCertificateChoice(kind: .node)
    /// One made by BCM for this profile.
    public static func profile(_ name: String) -> MonitorCertificateChoice { .init(kind: .profile(name)) }
    /// The administrator's own, with all its rights on every compute node.
    public static let administrator = MonitorCertificateChoice(kind: .administrator)

    /// The profile that is made when none is named; it may read devices and nothing else.
    public static let defaultProfile = "bcm-role-monitor"

    /// Reads what an administrator typed: `node`, `admin`, or a profile's name.
    public init(parsing word: String) {
        switch word {
        case "node": self = .node
        case "admin": self = .administrator
        case "auto": self = .automatic
        default: self = .profile(word)
        }
    }

    private init(kind: Kind) { self.kind = kind }
}
