/// Everything that the simulated cluster is: what its REST service shows and its `cmsh` changes.
public struct ClusterState: Codable, Sendable, Hashable {
    /// The cluster's name, the `cluster` member of a device.
    public var clusterName: String
    /// The head nodes.
    public var headNodes: [Node]
    /// The head node that `master` stands for.
    public var activeHeadNode: String
    /// The compute nodes.
    public var nodes: [Node]
    /// Node categories.
    public var categories: [Category]
    /// Configuration overlays.
    public var overlays: [Overlay]
    /// Software images.
    public var softwareImages: [SoftwareImage]
    /// Workload manager instances.
    public var workloadManagers: [WorkloadManager]
    /// Certificate profiles: which calls a certificate may make.
    public var profiles: [Profile]
    /// Certificates that the cluster's authority signed.
    public var certificates: [IssuedCertificate]
    /// Jobs that the workload manager shows.
    public var jobs: [Job] = []
    /// Events that were posted.
    public var events: [Event] = []
    /// Users that log in with a password.
    public var users: [User]
    /// Grows when every session is to end.
    public var sessionEpoch = 0
    /// Metrics that were declared for pushing.
    public var pushedMetrics: [PushedMetric] = []
    /// Values that were pushed, the newest last.
    public var pushedValues: [PushedValue] = []
    /// What differs between sites.
    public var switches = Switches()
    /// Faults on demand, by head node.
    public var faults: [String: Fault] = [:]
    /// How many devices are made up beside the real ones, for measurements.
    public var generatedDevices = 0
}

/// A head node or compute node.
public struct Node: Codable, Sendable, Hashable {
    /// The short name.
    public var name: String
    /// The address on the internal network.
    public var address: String
    /// The hardware address, in capitals as BCM writes it.
    public var hardwareAddress: String
    /// The category; nil for head nodes.
    public var category: String?
    /// The internal network's name.
    public var network = "internalnet"
    /// The state without brackets, such as `UP`.
    public var status = "UP"
    /// Roles assigned to the node itself.
    public var roles: [Role] = []
    /// Services that BCM looks after.
    public var services: [Service] = []
    /// Free text that `status` posts set.
    public var userMessage = ""
    /// Free text that `status` posts set.
    public var infoMessage = ""
    /// Free text that `status` posts set.
    public var toolMessage = ""

    /// Creates a node.
    public init(name: String, address: String, hardwareAddress: String, category: String?, roles: [Role] = []) {
        self.name = name
        self.address = address
        self.hardwareAddress = hardwareAddress
        self.category = category
        self.roles = roles
    }
}

/// A role assignment.
public struct Role: Codable, Sendable, Hashable {
    /// The role's name.
    public var name: String
    /// A priority of its own; nil for that of where it is assigned. -1 switches the assignment off.
    public var priority: Int?
    /// Creates an assignment.
    public init(name: String, priority: Int? = nil) {
        self.name = name
        self.priority = priority
    }
}

/// A service that BCM starts and watches.
public struct Service: Codable, Sendable, Hashable {
    /// The service's name.
    public var name: String
    /// Whether BCM watches it.
    public var monitored = false
    /// Whether BCM starts it.
    public var autostart = false
}

/// A node category.
public struct Category: Codable, Sendable, Hashable {
    /// The category's name.
    public var name: String
    /// The software image of its nodes.
    public var softwareImage: String
    /// Roles of its nodes, with priority 250.
    public var roles: [Role] = []
    /// Services of its nodes.
    public var services: [Service] = []
}

/// A configuration overlay: roles for a list of nodes.
public struct Overlay: Codable, Sendable, Hashable {
    /// The overlay's name.
    public var name: String
    /// 500 unless changed; -1 switches the overlay off.
    public var priority = 500
    /// Its nodes, by name.
    public var nodes: [String] = []
    /// Categories whose nodes it covers too.
    public var categories: [String] = []
    /// Whether it covers every head node.
    public var allHeadNodes = false
    /// The roles it gives.
    public var roles: [Role] = []
}

/// A software image.
public struct SoftwareImage: Codable, Sendable, Hashable {
    /// The image's name.
    public var name: String
    /// The folder on the head node.
    public var path: String
    /// The folder that it was cloned from.
    public var source: String?
}

/// An instance of Slurm.
public struct WorkloadManager: Codable, Sendable, Hashable {
    /// The instance's name, `slurm` usually.
    public var name: String
    /// Its settings, by lower-case name.
    public var settings: [String: String]
    /// The settings of its `cgroups` submode.
    public var cgroups: [String: String]
}

/// A certificate profile.
public struct Profile: Codable, Sendable, Hashable {
    /// The profile's name.
    public var name: String
    /// The calls allowed; `*` stands for all.
    public var tokens: [String]
    /// Whether it is for programs and not for people.
    public var nonUser: Bool

    /// Whether a call is allowed.
    public func allows(_ token: String) -> Bool { tokens.contains(token) || tokens.contains("*") }
}

/// A certificate that the cluster's authority signed.
public struct IssuedCertificate: Codable, Sendable, Hashable {
    /// The serial number in capital hexadecimal digits without leading zeros.
    public var serial: String
    /// The common name.
    public var commonName: String
    /// The profile that says what it may do.
    public var profile: String
    /// The end of its validity, in Unix seconds.
    public var notAfter: Int
    /// Whether it was withdrawn.
    public var revoked = false
}

/// A job as `workload/jobs` shows it.
public struct Job: Codable, Sendable, Hashable {
    /// The job's number.
    public var id: Int
    /// The job's owner.
    public var user: String
    /// The nodes it runs on.
    public var nodes: [String]

    /// Creates a job.
    public init(id: Int, user: String, nodes: [String]) {
        self.id = id
        self.user = user
        self.nodes = nodes
    }
}

/// Somebody who logs in with a password.
public struct User: Codable, Sendable, Hashable {
    /// The name.
    public var name: String
    /// The password, in plain text: this is no real one.
    public var password: String
    /// The profile that says what the user may do.
    public var profile: String
}

/// A metric that was declared for pushing.
public struct PushedMetric: Codable, Sendable, Hashable {
    /// The name.
    public var name: String
    /// The class, such as `Push/Single`.
    public var metricClass: String

    /// Creates a metric.
    public init(name: String, metricClass: String) {
        self.name = name
        self.metricClass = metricClass
    }
}

/// A value that was pushed.
public struct PushedValue: Codable, Sendable, Hashable {
    /// The node that it is about.
    public var entity: String
    /// The metric or health check.
    public var metric: String
    /// The value as text.
    public var value: String
    /// More about it.
    public var info: String
    /// When it came, in Unix milliseconds.
    public var time: Int
    /// Whether it is a health check's.
    public var isHealthCheck: Bool

    /// Creates a value.
    public init(entity: String, metric: String, value: String, info: String, time: Int, isHealthCheck: Bool) {
        self.entity = entity
        self.metric = metric
        self.value = value
        self.info = info
        self.time = time
        self.isHealthCheck = isHealthCheck
    }
}

/// An event that was posted.
public struct Event: Codable, Sendable, Hashable {
    /// What happened.
    public var message: String
    /// More about it.
    public var details: String
    /// `notice`, `warning` and so on.
    public var severity: String

    /// Creates an event.
    public init(message: String, details: String, severity: String) {
        self.message = message
        self.details = details
        self.severity = severity
    }
}
