/// A software image of BCM: a root file system in a folder on the head node, which nodes copy when they boot
/// (Administrator Manual, chapter on software image management).
public struct SoftwareImage: Sendable, Hashable {
    /// BCM's name of it.
    public var name: String
    /// Its folder on the head node, `/cm/images/NAME` unless the site chose otherwise.
    public var path: String

    /// Names an image.
    public init(name: String, path: String) {
        self.name = name
        self.path = path
    }

    /// What stands for the image among a plan's hosts.
    public var host: Host { Host("image:\(name)", isLocal: true) }
}
