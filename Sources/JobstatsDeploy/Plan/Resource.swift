public import CommandExecution

/// A thing on a host that is or is not in a wanted state: a file, a directory, a unit.
///
/// A resource is a value that runs nothing. It says which facts it must know, judges them, and gives the commands that
/// make it so; a runner asks, runs and asks again. So the same resource serves a run, a check, a dry run and a document.
///
/// To add a kind, write a small type that conforms and use it in a ``Step``.
public protocol Resource: Sendable {
    /// The state in words: `file /etc/x.conf, 0644 root:root, 120 bytes`.
    var summary: String { get }
    /// What must be known of the host to judge it.
    var queries: [Query] { get }
    /// Judges the facts. Must not assume that a fact is there: an unanswered query is `nil` in `facts`.
    func assess(_ facts: Facts) -> Assessment
    /// The commands that bring it into the wanted state, given what was found. They run in order; the first that fails
    /// ends the step. Only called when ``assess(_:)`` gave ``Assessment/State/differs``.
    func changes(from facts: Facts) throws(ResourceError) -> [Command]
    /// Whether the host must be asked again when an earlier step of the section has changed something, before this one
    /// is judged; true unless a type says otherwise. Steps that need no fresh facts are carried out together.
    var needsFreshFacts: Bool { get }
    /// What must be known besides to show the difference; asked only when a check found one.
    var differenceQueries: [Query] { get }
    /// The difference between what is there and what is wanted, as a unified diff; nil where that makes no sense.
    func difference(_ facts: Facts) -> String?
    /// The commands that take it away again; nil where that is not meaningful.
    func removal() -> [Command]?
    /// What of it belongs into a software image, from which nodes boot; nil for what only a running host has.
    var imageForm: (any Resource)? { get }
    /// The state in which this is gone again, as a resource of its own; nil where nothing is taken away.
    var absence: (any Resource)? { get }
    /// What an export carries out in its place, without asking the host first through this program; empty for a check.
    var exportActions: [ExportAction] { get }
    /// What a document tells a person who does this by hand.
    var instructions: Instructions { get }
}

extension Resource {
    /// Yes: earlier steps may matter.
    public var needsFreshFacts: Bool { true }
    /// None.
    public var differenceQueries: [Query] { [] }
    /// None.
    public func difference(_ facts: Facts) -> String? { nil }
    /// Nothing: it belongs to running hosts.
    public var imageForm: (any Resource)? { nil }
    /// Nothing to take away.
    public func removal() -> [Command]? { nil }
    /// Carries out ``removal()`` where the resource is as it was brought about.
    public var absence: (any Resource)? { removal().map { ExactRemoval(of: self, by: $0) } }
    /// The commands by hand: whether and how they can be repeated is known to the resource alone.
    public var exportActions: [ExportAction] {
        instructions.commands.isEmpty ? [] : [.byHand(summary, instructions)]
    }
}

/// What was found about a resource.
public struct Assessment: Sendable, Hashable {
    /// Where it stands.
    public enum State: Sendable, Hashable {
        /// As wanted.
        case inPlace
        /// Not as wanted; the resource knows how to change that.
        case differs
        /// Not as wanted, and a person must act first.
        case blocked
    }

    /// Where it stands.
    public var state: State
    /// What was seen, in words.
    public var detail: String
    /// What a person can do, when it is blocked or carries a warning.
    public var remedy: String?
    /// Whether an administrator should look at it although it does not stop anything.
    public var isWarning: Bool
    /// Whether somebody changed on the host what this deployment put there: the difference is shown also when it is
    /// repaired at once.
    public var isDrift: Bool
    /// Whether the host did not tell what must be known.
    public var isUnknown: Bool

    private init(
        _ state: State, _ detail: String, _ remedy: String? = nil, isWarning: Bool = false, isDrift: Bool = false,
        isUnknown: Bool = false
    ) {
        self.state = state
        self.detail = detail
        self.remedy = remedy
        self.isWarning = isWarning
        self.isDrift = isDrift
        self.isUnknown = isUnknown
    }

    /// As wanted.
    public static func inPlace(_ detail: String = "in place") -> Assessment { Assessment(.inPlace, detail) }
    /// As far as needed, with something to look at.
    public static func warning(_ detail: String, remedy: String) -> Assessment {
        Assessment(.inPlace, detail, remedy, isWarning: true)
    }
    /// Not as wanted, for these reasons.
    public static func differs(_ reasons: [String], isDrift: Bool = false) -> Assessment {
        Assessment(.differs, reasons.joined(separator: "; "), isDrift: isDrift)
    }
    /// Not as wanted, and a person must act first.
    public static func blocked(_ detail: String, remedy: String) -> Assessment { Assessment(.blocked, detail, remedy) }
    /// The host did not tell what must be known; blocked, since unknown is never a pass.
    public static func unknown(_ what: String) -> Assessment {
        Assessment(
            .blocked, "\(what) could not be determined", "run again with --check, and look at the host",
            isUnknown: true)
    }
}

/// How a person brings a resource about by hand.
public struct Instructions: Sendable, Hashable {
    /// A file to be shown in full.
    public struct File: Sendable, Hashable {
        /// Where it goes.
        public var path: String
        /// Its text.
        public var text: String
        /// Creates a file to show.
        public init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    /// Commands as typed in a POSIX shell, one each.
    public var commands: [String]
    /// Files shown in full.
    public var files: [File]
    /// Commands that show that it is so.
    public var verification: [String]
    /// Commands that take it away.
    public var undo: [String]

    /// Creates instructions.
    public init(commands: [String] = [], files: [File] = [], verification: [String] = [], undo: [String] = []) {
        self.commands = commands
        self.files = files
        self.verification = verification
        self.undo = undo
    }
}

/// Why a resource could not say how to change a host.
public struct ResourceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What failed and why.
    public let reason: String
    /// What to do about it.
    public let remedy: String
    /// Creates an error.
    public init(_ reason: String, remedy: String) {
        self.reason = reason
        self.remedy = remedy
    }
    /// `REASON. REMEDY`
    public var description: String { "\(reason). \(remedy)" }
}
