package import BCMClient
internal import FoundationEssentials
package import ServiceManager

/// Everything outside that a monitor touches.
package struct MonitorSeams: Sendable {
    /// Makes what asks BCM, from a configuration and the keys known from trust on first use.
    package var makeSource:
        @Sendable (MonitorConfiguration, [HeadNode: PublicKeyPin]) throws(BCMError) -> any RoleSource
    package var units: any UnitControl
    package var store: any TargetStore
    package var clock: any MonitorClock
    package var host: any HostIdentitySource
    package var notifier: ServiceNotifier
    /// Reads the client certificate.
    package var certificate: @Sendable (MonitorConfiguration) -> CertificateFacts
    /// How the waits within a check are paced.
    package var pace: Pace

    /// The waits within a check.
    package struct Pace: Sendable {
        /// Between two looks at units that change.
        package var poll = Duration.milliseconds(500)
        /// How long units that change are waited for.
        package var settle = Duration.seconds(30)
        /// How long a unit must stay active to count as started.
        package var proof = Duration.seconds(2)

        package init() {}
    }

    package init(
        makeSource:
            @escaping @Sendable (MonitorConfiguration, [HeadNode: PublicKeyPin]) throws(BCMError) ->
            any RoleSource,
        units: any UnitControl, store: any TargetStore, clock: any MonitorClock, host: any HostIdentitySource,
        notifier: ServiceNotifier = ServiceNotifier(environment: [:]),
        certificate: @escaping @Sendable (MonitorConfiguration) -> CertificateFacts = { _ in CertificateFacts() },
        pace: Pace = Pace()
    ) {
        self.makeSource = makeSource
        self.units = units
        self.store = store
        self.clock = clock
        self.host = host
        self.notifier = notifier
        self.certificate = certificate
        self.pace = pace
    }
}

/// What is to know of the client certificate.
package struct CertificateFacts: Sendable, Hashable {
    /// When it ends, in seconds since 1970.
    package var end: Double?
    /// What is wrong with certificate or key, in words.
    package var problems: [String] = []

    package init(end: Double? = nil, problems: [String] = []) {
        self.end = end
        self.problems = problems
    }

    /// Reads the files that a configuration names.
    package init(_ configuration: MonitorConfiguration) {
        do throws(BCMError) {
            let certificate = try Certificate.read(file: configuration.certificateFile)
            end = certificate.notAfter.timeIntervalSince1970
            if try !Certificate.key(configuration.keyFile, belongsTo: configuration.certificateFile) {
                problems.append(
                    "the key \(configuration.keyFile) does not belong to the certificate "
                        + "\(configuration.certificateFile); install the pair again")
            }
            if let problem = try Certificate.protection(ofKey: configuration.keyFile).problem {
                problems.append(problem)
            }
        } catch {
            problems.append(error.description)
        }
    }
}
