public import CommandExecution

/// Something to know about a host. Queries are cheap and change nothing; those of all steps of a section are asked
/// together, in one round trip for each host.
public enum Query: Sendable, Hashable {
    /// Kind, mode, owner, size, change time and, for a plain file, the SHA-256 of this absolute path; links are not followed.
    case file(String)
    /// The bytes of a file, at most ``Facts/contentLimit``.
    case content(String)
    /// The same as ``content(_:)`` where the file's SHA-256 (lower-case hexadecimal digits) is not this one, and always
    /// ``file(_:)``: for whoever knows the bytes already that are usually there.
    case contentUnless(String, sha256: String)
    /// The target that a symbolic link holds.
    case link(String)
    /// The state of a systemd unit.
    case unit(String)
    /// A user's entry.
    case user(String)
    /// The version of an installed Debian package.
    case package(String)
    /// What a command gives. It must change nothing.
    case command(Command)
}

/// What is known of a file.
public struct FileFact: Sendable, Hashable {
    /// What stands at a path.
    public enum Kind: Sendable, Hashable {
        /// Nothing.
        case missing
        /// A plain file.
        case plain
        /// A directory.
        case directory
        /// A symbolic link, whatever it leads to.
        case link
        /// Something else: a device, a socket, a pipe.
        case other
    }
    /// What stands there.
    public var kind: Kind
    /// Permission bits, such as 0o644.
    public var mode: Int
    /// The owner's name.
    public var owner: String
    /// The group's name.
    public var group: String
    /// Bytes.
    public var size: Int
    /// When content or attributes changed last, in seconds since 1970 by the host's clock.
    public var changed: Double
    /// Lower-case hexadecimal digits; nil unless it is a plain file that could be read.
    public var sha256: String?

    /// A path where nothing stands.
    public static let missing = FileFact(
        kind: .missing, mode: 0, owner: "", group: "", size: 0, changed: 0, sha256: nil)
}

/// What is known of a systemd unit; the words are systemd's own.
public struct UnitFact: Sendable, Hashable {
    /// `loaded`, `not-found`, `masked`, ...
    public var load: String
    /// `active`, `inactive`, `failed`, `activating`, ...
    public var active: String
    /// `enabled`, `disabled`, `static`, ...; empty when there is no unit file.
    public var enablement: String
    /// Whether the unit file on disk is newer than what the manager has loaded.
    public var needsReload: Bool
    /// Where its unit file lies; empty when there is none.
    public var path: String
    /// When its main process was started, in seconds since 1970; nil when it never was.
    public var started: Double?
    /// What it says of itself, one line; empty when it says nothing (`STATUS=` in sd_notify(3)).
    public var statusText = ""

    /// Whether it runs, or is about to.
    public var isRunning: Bool { active == "active" || active == "activating" || active == "reloading" }
    /// Whether systemd knows no such unit.
    public var isMissing: Bool { load == "not-found" }
    /// Whether an administrator forbade it.
    public var isMasked: Bool { load == "masked" }
}

/// What is known of a user.
public struct UserFact: Sendable, Hashable {
    /// Numeric user id.
    public var id: Int
    /// Home directory.
    public var home: String
    /// Login shell.
    public var shell: String
}

/// The answers to queries about one host. A query that got no answer is absent: unknown, not "no".
public struct Facts: Sendable {
    /// How many bytes of a file's content are fetched at most: 1 MiB.
    public static let contentLimit = 1 << 20

    /// When commands were asked and answered, in seconds since 1970 by this machine's clock.
    package var times: [Command: ClosedRange<Double>] = [:]
    package var files: [String: FileFact] = [:]
    package var contents: [String: [UInt8]] = [:]
    package var links: [String: String?] = [:]
    package var units: [String: UnitFact] = [:]
    package var users: [String: UserFact?] = [:]
    package var packages: [String: String?] = [:]
    package var results: [Command: CommandResult] = [:]

    /// Creates facts that know nothing.
    public init() {}

    /// The file at a path.
    public func file(_ path: String) -> FileFact? { files[path] }
    /// The bytes of a file; nil when it is missing, too large or unknown.
    public func content(_ path: String) -> [UInt8]? { contents[path] }
    /// A link's target; the inner nil says that there is no link.
    public func link(_ path: String) -> String?? { links[path] }
    /// A unit's state.
    public func unit(_ name: String) -> UnitFact? { units[name] }
    /// A user; the inner nil says that there is none.
    public func user(_ name: String) -> UserFact?? { users[name] }
    /// A package's version; the inner nil says that it is not installed.
    public func package(_ name: String) -> String?? { packages[name] }
    /// What a command gave.
    public func result(_ command: Command) -> CommandResult? { results[command] }

    /// Takes over newer answers to these queries. What was not answered now is not known any more.
    package mutating func merge(_ newer: Facts, answering queries: [Query]) {
        let known = files
        for query in queries {
            switch query {
            case .file(let path): files[path] = nil
            case .content(let path): contents[path] = nil
            case .contentUnless(let path, _):
                // Somebody else may have asked for the content itself, which is the same with the same digest.
                let sum = known[path]?.sha256
                if sum == nil || sum != newer.files[path]?.sha256 { contents[path] = nil }
                files[path] = nil
            case .link(let path): links.removeValue(forKey: path)
            case .unit(let name): units[name] = nil
            case .user(let name): users.removeValue(forKey: name)
            case .package(let name): packages.removeValue(forKey: name)
            case .command(let command): (results[command], times[command]) = (nil, nil)
            }
        }
        merge(newer)
    }

    /// Notes between which two instants the commands were run.
    package mutating func note(_ time: ClosedRange<Double>) {
        for command in results.keys { times[command] = time }
    }

    /// Whether a question was answered. Where a file is missing there is no content, which is an answer, too, and cannot
    /// be told from none.
    package func answers(_ query: Query) -> Bool {
        switch query {
        case .file(let path): files[path] != nil
        case .content: true
        case .contentUnless(let path, _): files[path] != nil
        case .link(let path): links.index(forKey: path) != nil
        case .unit(let name): units[name] != nil
        case .user(let name): users.index(forKey: name) != nil
        case .package(let name): packages.index(forKey: name) != nil
        case .command(let command): results[command] != nil
        }
    }

    /// Takes over newer answers.
    public mutating func merge(_ newer: Facts) {
        times.merge(newer.times) { $1 }
        files.merge(newer.files) { $1 }
        contents.merge(newer.contents) { $1 }
        links.merge(newer.links) { $1 }
        units.merge(newer.units) { $1 }
        users.merge(newer.users) { $1 }
        packages.merge(newer.packages) { $1 }
        results.merge(newer.results) { $1 }
    }
}
