import ClusterModel
import FoundationEssentials

/// The documented REST answers of one head node, as a function of the state.
struct RESTService: Sendable {
    let store: StateStore
    let headNode: String
    let sessions = SessionTable()

    /// Who asks: the certificate that was presented, as the cluster's authority knows it, or a user with a password.
    enum Caller: Sendable {
        case nobody
        case unknown(serial: String)
        case known(IssuedCertificate)
        case user(User)
    }

    /// Answers a request that no fault stops.
    func answer(
        _ request: RESTRequest, from caller: Caller, in state: ClusterState, cache: StateCache
    ) -> RESTAnswer {
        if request.path == "/rest" { return RESTAnswer(["v1"], indent: request.indent) }
        if request.path == "/json" { return JSONService(rest: self).answer(request, from: caller, in: state) }
        var caller = caller
        if case .nobody = caller, let user = request.user {
            guard let known = state.users.first(where: { $0.name == user.name && $0.password == user.password }) else {
                return .error(401, "wrong user name or password")
            }
            caller = .user(known)
        }
        guard let route = Self.route(request) else { return .error(404, "no such path: \(request.path)") }
        if let refusal = refusal(route.token, caller, state) { return refusal }
        if request.method == "GET" && request.path == "/rest/v1/device" {
            return cache.devices(state, fault: state.fault(at: headNode), indent: request.indent)
        }
        return route.answer(self, request, state)
    }

    /// What stands against a call that needs a token; nil when nothing does.
    func refusal(_ token: String?, _ caller: Caller, _ state: ClusterState) -> RESTAnswer? {
        switch caller {
        case .nobody: return .error(401, "a client certificate is required")
        case .unknown(let serial): return .error(403, "unknown certificate: serial number \(serial)")
        case .known(let certificate):
            guard !certificate.revoked else { return .error(403, "the certificate was revoked") }
            guard let token else { return nil }
            let profile = state.profiles.first { $0.name == certificate.profile }
            let closed = certificate.profile == "node" && !state.switches.nodeCertificatesMayRead
            guard let profile, profile.allows(token), !closed else {
                return .error(403, "profile \(certificate.profile) lacks \(token)")
            }
            return nil
        case .user(let user):
            guard let token else { return nil }
            let profile = state.profiles.first { $0.name == user.profile }
            return profile?.allows(token) == true ? nil : .error(403, "profile \(user.profile) lacks \(token)")
        }
    }

    // MARK: Routes

    private struct Route {
        /// The token that the caller's profile needs; nil when any certificate does. Only GET_DEVICE_TOKEN is from the
        /// manual; the others are this simulator's own names.
        var token: String?
        var answer: (RESTService, RESTRequest, ClusterState) -> RESTAnswer

        init(_ token: String? = nil, _ answer: @escaping (RESTService, RESTRequest, ClusterState) -> RESTAnswer) {
            self.token = token
            self.answer = answer
        }
    }

    private static let names = [
        "chargeback", "check", "device", "event", "license", "monitoring", "session", "status", "sysinfo", "version",
        "workload",
    ]

    private static func value(_ token: String? = nil, _ make: @escaping (ClusterState) -> JSONText) -> Route {
        Route(token) { _, request, state in RESTAnswer(make(state), indent: request.indent) }
    }

    private static func route(_ request: RESTRequest) -> Route? {
        switch (request.method, request.path) {
        case ("GET", "/rest/v1"): value { _ in .array(names.map { .string($0) }) }
        case ("GET", "/rest/v1/device"):
            // Made by the cache, once for each version of the state.
            value("GET_DEVICE_TOKEN") { _ in [] }
        case ("GET", "/rest/v1/status"):
            Route("GET_DEVICE_STATUS_TOKEN") { _, request, state in StatusService.get(request, state) }
        case ("POST", "/rest/v1/status"):
            Route("SET_DEVICE_STATUS_TOKEN") { service, request, _ in StatusService.post(request, service.store) }
        case ("GET", "/rest/v1/version"): value { _ in ClusterDocuments.version }
        case ("GET", "/rest/v1/check"): value { _ in .members(("check", "ok")) }
        case ("GET", "/rest/v1/license"): value("GET_LICENSE_TOKEN", ClusterDocuments.license)
        case ("GET", "/rest/v1/session"): value("GET_SESSION_TOKEN", ClusterDocuments.sessions)
        case ("GET", "/rest/v1/sysinfo"): value("GET_SYSINFO_TOKEN", ClusterDocuments.systemInformation)
        case ("GET", "/rest/v1/workload"): value("GET_JOB_TOKEN") { _ in ["jobs"] }
        case ("GET", "/rest/v1/workload/jobs"): value("GET_JOB_TOKEN", ClusterDocuments.jobs)
        case ("GET", "/rest/v1/chargeback"): value("GET_CHARGEBACK_TOKEN") { _ in [] }
        case ("POST", "/rest/v1/event"):
            Route("POST_EVENT_TOKEN") { service, request, _ in postEvent(request, service.store) }
        case ("GET", "/rest/v1/monitoring"):
            value { _ in ["entity", "measurable", "latest", "dump", "usage"] }
        case ("GET", "/rest/v1/monitoring/entity"):
            Route("GET_MONITORING_TOKEN") { _, request, state in MonitoringService.entities(request, state) }
        case ("GET", "/rest/v1/monitoring/measurable"):
            Route("GET_MONITORING_TOKEN") { _, request, state in MonitoringService.measurables(request, state) }
        case ("GET", "/rest/v1/monitoring/usage"):
            Route("GET_MONITORING_TOKEN") { _, request, state in MonitoringService.usage(request, state) }
        case ("GET", "/rest/v1/monitoring/latest"):
            Route("GET_MONITORING_TOKEN") { _, request, state in MonitoringService.latest(request, state) }
        case ("GET", "/rest/v1/monitoring/dump"):
            Route("GET_MONITORING_TOKEN") { _, request, state in MonitoringService.dump(request, state) }
        case ("POST", "/monitoring/initialize"):
            Route("PUSH_MONITORING_TOKEN") { service, request, _ in MonitoringPush.declare(request, service.store) }
        case ("POST", "/monitoring/push"):
            Route("PUSH_MONITORING_TOKEN") { service, request, state in
                MonitoringPush.collection(request, service, state)
            }
        case ("POST", let path) where path.hasPrefix("/monitoring/push/"):
            Route("PUSH_MONITORING_TOKEN") { service, request, _ in MonitoringPush.single(request, service) }
        case (_, let path) where path.hasPrefix("/rest/v1/") && names.contains { path == "/rest/v1/\($0)" }:
            Route { _, request, _ in .error(405, "\(request.method) is not possible here") }
        default: nil
        }
    }

    private static func postEvent(_ request: RESTRequest, _ store: StateStore) -> RESTAnswer {
        struct Body: Decodable {
            var message: String
            var details: String?
            var severity: String?
        }
        guard let body = request.decoded(Body.self) else {
            return .error(400, "expected message, details and severity")
        }
        let event = Event(message: body.message, details: body.details ?? "", severity: body.severity ?? "notice")
        do {
            try store.update { state in
                // A cluster that runs for weeks must not fill its state with events.
                state.events = state.events.suffix(999) + [event]
            }
        } catch {
            return .error(500, "\(error)")
        }
        return RESTAnswer(true)
    }
}
