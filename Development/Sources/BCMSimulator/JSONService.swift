import ClusterModel
import FoundationEssentials

/// The JSON interface, `POST /json/`: login and logout, and a few calls that only look.
struct JSONService {
    let rest: RESTService

    /// A call as far as it is looked at.
    private struct Call: Decodable {
        var service: String
        var call: String?
        var arg: Anything?
        var args: [Anything]?
        var username: String?
        var password: String?

        /// The argument that names something.
        var name: String? { (arg ?? args?.first)?.text }
    }

    /// A value of which only a text is of interest.
    private struct Anything: Decodable {
        var text: String?
        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
    }

    func answer(_ request: RESTRequest, from caller: RESTService.Caller, in state: ClusterState) -> RESTAnswer {
        guard request.method == "POST" else { return .error(405, "\(request.method) is not possible here") }
        guard let call = request.decoded(Call.self) else { return .error(400, "expected an object with service") }
        let service = call.service.lowercased()
        if service == "login" { return logIn(call, state) }
        if service == "logout" {
            return RESTAnswer(.boolean(request.session.map { rest.sessions.close($0) } ?? false))
        }
        var caller = caller
        if case .nobody = caller {
            guard let value = request.session, let name = rest.sessions.user(value, epoch: state.sessionEpoch),
                let user = state.users.first(where: { $0.name == name })
            else { return .error(401, "a client certificate or a login is required") }
            caller = .user(user)
        }
        guard let name = call.call?.lowercased() else { return .error(400, "call is missing") }
        return answer(service, name, call, caller, state) ?? .error(400, "no such call: \(service) \(name)")
    }

    private func logIn(_ call: Call, _ state: ClusterState) -> RESTAnswer {
        guard let user = state.users.first(where: { $0.name == call.username && $0.password == call.password }) else {
            return .error(401, "wrong user name or password")
        }
        var answer = RESTAnswer(true)
        let value = rest.sessions.open(user.name, epoch: state.sessionEpoch)
        answer.headers = [("Set-Cookie", "\(SessionTable.cookieName)=\(value); Path=/; Secure; HttpOnly")]
        return answer
    }

    private func answer(
        _ service: String, _ name: String, _ call: Call, _ caller: RESTService.Caller, _ state: ClusterState
    ) -> RESTAnswer? {
        // Rights come before the question whether there is such a call.
        let token: String? =
            switch (service, name) {
            case ("cmmain", "getprofile"): nil
            case ("cmdevice", "getdevices"), ("cmdevice", "getdevice"), ("cmpart", "getbasicentityinformation"):
                "GET_DEVICE_TOKEN"
            default: "\(service.uppercased())_TOKEN"
            }
        if let refusal = rest.refusal(token, caller, state) { return refusal }
        let fault = state.fault(at: rest.headNode)
        switch (service, name) {
        case ("cmdevice", "getdevices"):
            return RESTAnswer(.array(state.allNodes.map { DeviceList.device($0, state, fault) }))
        case ("cmdevice", "getdevice"):
            guard let wanted = call.name else { return .error(400, "arg is missing") }
            guard let node = state.node(wanted) else {
                return RESTAnswer(.members(("errormessage", .string("no such device: \(wanted)"))))
            }
            return RESTAnswer(DeviceList.device(node, state, fault))
        case ("cmmain", "getprofile"):
            let name =
                switch caller {
                case .known(let certificate): certificate.profile
                case .user(let user): user.profile
                case .nobody, .unknown: ""
                }
            let profile = state.profiles.first { $0.name == name }
            return RESTAnswer(
                .members(
                    ("baseType", "Profile"), ("name", .string(name)), ("nonuser", .boolean(profile?.nonUser ?? false)),
                    ("tokens", .array((profile?.tokens ?? []).map { .string($0) }))))
        case ("cmpart", "getbasicentityinformation"):
            return RESTAnswer(
                .array(
                    state.allNodes.map { node in
                        let type = state.isHeadNode(node.name) ? "HeadNode" : "PhysicalNode"
                        return .members(("childType", .string(type)), ("resolve_name", .string(node.name)))
                    }))
        default: return nil
        }
    }
}
