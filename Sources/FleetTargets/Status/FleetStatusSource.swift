internal import BCMClient
package import Logging
package import PrometheusAPI
internal import PromTargets
package import RoleMonitor

/// Asks BCM, the directory of target files and Prometheus at once how a fleet stands. No host is reached by SSH, and
/// nothing is changed.
package actor FleetStatusSource {
    /// Names the nodes that have a role by another account than REST's, cmsh's.
    package typealias RoleHolders = @Sendable (_ role: String) async throws -> [String]

    private let configuration: MonitorConfiguration
    private let expected: [String]
    private let hasMonitors: Bool
    private let prometheus: PrometheusServer
    private let storage: BoundedStorage
    private let makeSource: DeviceSourceMaker
    private let roleHolders: RoleHolders?
    private var source: (any DeviceSource)?

    /// Creates a source; nothing is asked yet.
    ///
    /// - Parameters:
    ///   - configuration: the monitors' configuration: head nodes, certificate, roles, ports and the targets directory.
    ///   - expected: the nodes that the deployment's configuration names.
    ///   - hasMonitors: whether role monitors run at all.
    ///   - storageTimeout: how long the file system may take.
    ///   - roleHolders: asked where the configuration does not say that REST shows the role: when REST shows it for
    ///     every node that has it, a node without it certainly does not have it.
    package init(
        configuration: MonitorConfiguration, expected: [String], hasMonitors: Bool, prometheus: PrometheusServer,
        storageTimeout: Duration = .seconds(10), logger: Logger, makeSource: DeviceSourceMaker? = nil,
        roleHolders: RoleHolders? = nil
    ) {
        self.configuration = configuration
        self.expected = expected
        self.hasMonitors = hasMonitors
        self.prometheus = prometheus
        self.roleHolders = roleHolders
        storage = BoundedStorage(directory: configuration.targetsDirectory, timeout: storageTimeout)
        self.makeSource = makeSource ?? Self.restClient(configuration, logger)
    }

    private static func restClient(_ configuration: MonitorConfiguration, _ logger: Logger) -> DeviceSourceMaker {
        { () throws(BCMError) in
            try RESTClient(configuration: configuration.clientConfiguration(knownKeys: [:]), logger: logger)
        }
    }

    /// Looks once.
    package func look() async -> FleetStatus {
        async let directory = directory()
        async let files = files()
        async let scrapes = scrapes()
        async let holders = holders()
        var configuration = configuration
        let seen = await directory
        if case .listed(let index) = seen.value?.answer, let holders = await holders,
            index.shows(configuration.role, of: holders)
        {
            configuration.areRolesVisible = true
        }
        return FleetStatus(
            directory: seen, path: configuration.targetsDirectory, files: await files,
            prometheus: prometheus.url, scrapes: await scrapes, expected: expected, configuration: configuration,
            hasMonitors: hasMonitors)
    }

    private func holders() async -> [String]? {
        guard let roleHolders, !configuration.areRolesVisible else { return nil }
        return try? await roleHolders(configuration.role)
    }

    private func directory() async -> FleetStatus.Seen<FleetStatus.Directory> {
        let source: any DeviceSource
        do throws(BCMError) {
            if let known = self.source { source = known } else { source = try makeSource() }
        } catch {
            return .unseen(error.description)
        }
        self.source = source
        var failures: [BCMError] = []
        for headNode in source.headNodes {
            do throws(BCMError) {
                let devices = try await source.devices(of: headNode)
                // Of a node whose state is not told it is said so.
                let states = (try? await source.states(at: headNode)) ?? [:]
                return .seen(
                    .init(
                        headNode: "\(headNode)",
                        answer: FleetAnswer(devices, from: headNode, rules: configuration.rules), states: states))
            } catch {
                failures.append(error)
            }
        }
        return .unseen(UnknownFleet(failures).message)
    }

    private func files() async -> FleetStatus.Seen<[TargetDirectory.Entry]> {
        let directory = TargetDirectory(path: configuration.targetsDirectory)
        do throws(FleetError) {
            return .seen(try await storage.run { () throws(PromTargetsError) in try directory.entries() })
        } catch {
            return .unseen(error.description)
        }
    }

    private func scrapes() async -> FleetStatus.Seen<FleetStatus.Scrapes> {
        let jobs = Set(configuration.exporters.map(\.job))
        let cluster = configuration.clusterName
        do throws(PrometheusError) {
            var seen = FleetStatus.Scrapes(
                targets: try await prometheus.targets().compactMap { target in
                    guard let job = target.labels["job"], jobs.contains(job), target.labels["cluster"] == cluster,
                        let host = target.labels["hostname"]
                    else { return nil }
                    let isUp: Bool? = target.health == "up" ? true : target.health == "down" ? false : nil
                    return .init(job: job, host: host, isUp: isUp, error: target.lastError)
                })
            for sample in try await prometheus.query("time() - bcm_role_monitor_last_check_timestamp_seconds")
            where sample.labels["cluster"] == cluster {
                if let host = sample.labels["hostname"] { seen.checkAges[host] = sample.value }
            }
            for sample in try await prometheus.query("bcm_role_monitor_unit_given_up == 1")
            where sample.labels["cluster"] == cluster {
                if let host = sample.labels["hostname"] {
                    seen.givenUp[host, default: []].append(sample.labels["unit"] ?? "a unit")
                }
            }
            let alerts = "count(ALERTS{alertname=~\"Jobstats.*\",alertstate=\"firing\"}) or vector(0)"
            seen.firingAlerts = try await prometheus.query(alerts).first.flatMap { Int(exactly: $0.value.rounded()) }
            seen.series = (try? await prometheus.ownMetrics())?["prometheus_tsdb_head_series"]
            return .seen(seen)
        } catch {
            return .unseen(error.description)
        }
    }
}
