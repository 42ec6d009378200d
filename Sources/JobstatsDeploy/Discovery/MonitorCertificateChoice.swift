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

    /// Reads what an administrator typed: `auto`, `node`, `admin`, or a profile's name of letters, digits, `-` and `_`.
    /// Nil for anything else: the name becomes part of a file's path.
    public init?(parsing word: String) {
        let isName = word.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, (1...64).contains(word.utf8.count), !word.hasPrefix("-") else { return nil }
        switch word {
        case "node": self = .node
        case "admin": self = .administrator
        case "auto": self = .automatic
        default: self = .profile(word)
        }
    }

    private init(kind: Kind) { self.kind = kind }

    /// The profile whose certificates are meant.
    public var profileName: String {
        if case .profile(let name) = kind { name } else { Self.defaultProfile }
    }
}
