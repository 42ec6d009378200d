public import FoundationEssentials

/// What systemd says of one unit, after org.freedesktop.systemd1(5).
public struct UnitStatus: Sendable, Hashable {
    /// Whether systemd could load the unit: its `LoadState`.
    public struct Load: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        /// systemd's word.
        public let rawValue: String
        /// Takes systemd's word, known here or not.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The unit is known.
        public static let loaded = Load(rawValue: "loaded")
        /// There is no such unit.
        public static let notFound = Load(rawValue: "not-found")
        /// The unit is masked.
        public static let masked = Load(rawValue: "masked")
        /// The unit's file holds a setting that systemd does not accept.
        public static let badSetting = Load(rawValue: "bad-setting")
        /// The unit's file could not be read.
        public static let error = Load(rawValue: "error")
        /// systemd's word.
        public var description: String { rawValue }
    }

    /// What the unit does: its `ActiveState`.
    public struct Active: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        /// systemd's word.
        public let rawValue: String
        /// Takes systemd's word, known here or not.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// It runs.
        public static let active = Active(rawValue: "active")
        /// It runs and reads its configuration again.
        public static let reloading = Active(rawValue: "reloading")
        /// It is stopped.
        public static let inactive = Active(rawValue: "inactive")
        /// It is stopped since it failed.
        public static let failed = Active(rawValue: "failed")
        /// It is being started; a unit that waits for its next automatic restart counts here too.
        public static let activating = Active(rawValue: "activating")
        /// It is being stopped.
        public static let deactivating = Active(rawValue: "deactivating")
        /// systemd's word.
        public var description: String { rawValue }
        /// Whether it will become something else without anyone's doing.
        public var isTransient: Bool { [.activating, .deactivating, .reloading].contains(self) }
    }

    /// How the unit's last run ended: its `Result`.
    public struct Result: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
        /// systemd's word.
        public let rawValue: String
        /// Takes systemd's word, known here or not.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// It ended well, or has not ended yet.
        public static let success = Result(rawValue: "success")
        /// Its program returned a status that counts as failure.
        public static let exitCode = Result(rawValue: "exit-code")
        /// A signal ended its program.
        public static let signal = Result(rawValue: "signal")
        /// Starting or stopping took too long.
        public static let timeout = Result(rawValue: "timeout")
        /// It did not feed its watchdog.
        public static let watchdog = Result(rawValue: "watchdog")
        /// It was started too often in too short a time.
        public static let startLimitHit = Result(rawValue: "start-limit-hit")
        /// The kernel ended it for lack of memory.
        public static let outOfMemory = Result(rawValue: "oom-kill")
        /// systemd's word.
        public var description: String { rawValue }
    }

    /// The unit's own name, which differs from the name asked for when that is an alias.
    public var id: String
    /// Whether systemd could load it.
    public var load: Load
    /// What it does.
    public var active: Active
    /// What it does in the words of its type: `running`, `dead`, `auto-restart`.
    public var sub: String
    /// How its last run ended; `success` for types of units that have no result.
    public var result: Result
    /// Since when it has been ``active`` as it is; nil when it never was anything else, or the time was not told.
    public var since: Date?
    /// How often systemd restarted it by itself; 0 for types of units that are not restarted.
    public var restarts: Int
    /// Whether its file is enabled; nil for a unit without a file.
    public var fileState: UnitFileState?
    /// The path of its file; nil for a unit without one.
    public var filePath: String?
    /// Whether its file changed since systemd read it, so that a reload of the manager is due.
    public var needsManagerReload: Bool

    /// Creates a status; tests and stand-ins need this.
    public init(
        id: String, load: Load = .loaded, active: Active, sub: String = "", result: Result = .success,
        since: Date? = nil, restarts: Int = 0, fileState: UnitFileState? = nil, filePath: String? = nil,
        needsManagerReload: Bool = false
    ) {
        self.id = id
        self.load = load
        self.active = active
        self.sub = sub
        self.result = result
        self.since = since
        self.restarts = restarts
        self.fileState = fileState
        self.filePath = filePath
        self.needsManagerReload = needsManagerReload
    }

    /// Whether there is no such unit.
    public var isMissing: Bool { load == .notFound }
    /// Whether someone forbade the unit to be started.
    public var isMasked: Bool { load == .masked }
    /// Whether it runs, re-reading its configuration or not.
    public var isActive: Bool { active == .active || active == .reloading }
}

/// Whether a unit's file is enabled, after systemctl(1), `is-enabled`.
public struct UnitFileState: Sendable, Hashable, RawRepresentable, CustomStringConvertible {
    /// systemd's word.
    public let rawValue: String
    /// Takes systemd's word, known here or not.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// It is started at boot, or by what it is installed for.
    public static let enabled = UnitFileState(rawValue: "enabled")
    /// As ``enabled``, until the next boot.
    public static let enabledRuntime = UnitFileState(rawValue: "enabled-runtime")
    /// It is not started by itself.
    public static let disabled = UnitFileState(rawValue: "disabled")
    /// It has no `[Install]` section and can be neither enabled nor disabled.
    public static let `static` = UnitFileState(rawValue: "static")
    /// It is masked.
    public static let masked = UnitFileState(rawValue: "masked")
    /// As ``masked``, until the next boot.
    public static let maskedRuntime = UnitFileState(rawValue: "masked-runtime")
    /// There is no such unit file.
    public static let notFound = UnitFileState(rawValue: "not-found")
    /// systemd's word.
    public var description: String { rawValue }
    /// Whether it is enabled, for good or until the next boot.
    public var isEnabled: Bool { self == .enabled || self == .enabledRuntime }
}
