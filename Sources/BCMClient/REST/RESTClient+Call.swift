import CommandExecution
import Synchronization

extension RESTClient {
    /// Makes a call of the JSON interface and gives its answer as it is.
    ///
    /// ```swift
    /// let node = try await client.call("cmdevice", "getDevice", ["node001"])
    /// ```
    ///
    /// With a certificate no login is needed. With ``Configuration/credentials`` alone the client logs in at each head node before its
    /// first call there, and again when a session has ended.
    ///
    /// A call is not repeated at another head node when it may have been done, since many change something;
    /// ``BCMError/mayHaveBeenDone`` tells.
    ///
    /// - Parameters:
    ///   - service: such as `cmdevice`; BCM's services are named in its Developer Manual.
    ///   - call: such as `getDevice`.
    ///   - arguments: those that stand in order.
    ///   - named: those that have names.
    ///   - headNode: the only head node to ask; nil asks the one that answered last, then the others.
    /// - Throws: ``BCMError``; ``BCMError/Code/refused`` also when BCM answers with nothing but an error message.
    public func call(
        _ service: String, _ call: String, _ arguments: [JSONValue] = [], named: [JSONObject.Member] = [],
        at headNode: HeadNode? = nil
    ) async throws(BCMError) -> JSONValue {
        let body = try Self.body(service, call, arguments, named)
        return try await onHeadNode(headNode, isRepeatable: false) { headNode throws(BCMError) in
            let answer = try await callOnce(body, headNode)
            if let message = Self.message(of: answer) {
                throw BCMError(.refused, at: headNode, reason: "\(service) \(call): \(legible(message))")
            }
            return answer
        }
    }

    private func callOnce(_ body: JSONValue, _ headNode: HeadNode) async throws(BCMError) -> JSONValue {
        guard configuration.certificateFile == nil, configuration.credentials != nil else {
            return try await post(body, nil, headNode)
        }
        if let cookie = sessions.withLock({ $0[headNode] }) {
            do throws(BCMError) {
                return try await post(body, cookie, headNode)
            } catch  where error.code == .notAuthorised {
                // The session may have ended: nothing was done, and a new one tells whether that was why.
                forget(cookie, headNode)
            }
        }
        let cookie = try await sharedSession(at: headNode)
        do throws(BCMError) {
            return try await post(body, cookie, headNode)
        } catch  where error.code == .notAuthorised {
            forget(cookie, headNode)
            throw error
        }
    }

    private func post(_ body: JSONValue, _ cookie: Secret?, _ headNode: HeadNode) async throws(BCMError) -> JSONValue {
        var request = Request.post("/json/", body)
        request.cookie = cookie
        request.usesBasicAuthentication = false
        return try await sendJSON(request, to: headNode) { place, _ in place.value }
    }

    private func forget(_ cookie: Secret, _ headNode: HeadNode) {
        sessions.withLock { if $0[headNode] == cookie { $0[headNode] = nil } }
    }

    // MARK: Sessions

    /// Opens a session of the JSON interface with the credentials. ``call(_:_:_:named:at:)`` does so by itself.
    ///
    /// - Parameter headNode: the only head node to log in at; nil logs in at the first where it succeeds.
    public func login(at headNode: HeadNode? = nil) async throws(BCMError) {
        _ = try await onHeadNode(headNode) { headNode throws(BCMError) in try await openSession(at: headNode) }
    }

    /// Ends the sessions that are open. Each is forgotten here, also when its head node cannot be told.
    ///
    /// - Throws: ``BCMError`` for the first head node that could not be told.
    public func logout() async throws(BCMError) {
        let open = sessions.withLock { sessions in
            defer { sessions = [:] }
            return sessions
        }
        var failure: BCMError?
        for (headNode, cookie) in open {
            var request = Request.post("/json/", ["service": "logout"])
            request.cookie = cookie
            request.usesBasicAuthentication = false
            do throws(BCMError) {
                try await send(request, to: headNode) {
                    BufferingConsumer()
                } check: { _ in
                    ()
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Opens a session, or waits for the one that another call is about to open.
    private func sharedSession(at headNode: HeadNode) async throws(BCMError) -> Secret {
        while true {
            let (login, isOwn) = logins.withLock { logins -> (Promise<Result<Secret, BCMError>>, Bool) in
                if let running = logins[headNode] { return (running, false) }
                let promise = Promise<Result<Secret, BCMError>>()
                // A login that was on its way a moment ago may be over by now.
                if let cookie = sessions.withLock({ $0[headNode] }) {
                    promise.fulfil(.success(cookie))
                    return (promise, false)
                }
                logins[headNode] = promise
                return (promise, true)
            }
            if isOwn {
                let result: Result<Secret, BCMError>
                do throws(BCMError) {
                    result = .success(try await openSession(at: headNode))
                } catch {
                    result = .failure(error)
                }
                logins.withLock { $0[headNode] = nil }
                login.fulfil(result)
                return try result.get()
            }
            guard let result = await login.value() else {
                throw BCMError(.cancelled, at: headNode, reason: "the task was cancelled")
            }
            // The task that was to log in was cancelled: this one does it.
            if case .failure(let error) = result, error.code == .cancelled, !Task.isCancelled { continue }
            return try result.get()
        }
    }

    private func openSession(at headNode: HeadNode) async throws(BCMError) -> Secret {
        guard let credentials = configuration.credentials else {
            throw BCMError(
                .invalidConfiguration, at: headNode, reason: "there is no user to log in as",
                remedy: "configure credentials, or a certificate, which needs no login")
        }
        let body: JSONValue = credentials.password.reveal { password in
            ["service": "login", "username": .text(credentials.username), "password": .text(password)]
        }
        var request = Request.post("/json/", body)
        request.usesBasicAuthentication = false
        let cookies: [Secret]
        do throws(BCMError) {
            cookies = try await send(request, to: headNode) {
                BufferingConsumer()
            } check: {
                $0.cookies
            }
        } catch {
            // Whatever came of the login, the call that it was for has not been made.
            throw error.possiblyDone(false)
        }
        guard !cookies.isEmpty else {
            throw BCMError(
                .notAuthorised, at: headNode,
                reason: "the login as \(quoted(credentials.username)) was answered without a session",
                remedy: "check the user's name and password")
        }
        let cookie = Secret(cookies.map { $0.reveal { $0 } }.joined(separator: "; "))
        sessions.withLock { $0[headNode] = cookie }
        return cookie
    }

    // MARK: What goes over the wire

    static func body(
        _ service: String, _ call: String, _ arguments: [JSONValue], _ named: [JSONObject.Member]
    ) throws(BCMError) -> JSONValue {
        func refuse(_ reason: String) -> BCMError {
            BCMError(.invalidConfiguration, reason: reason, remedy: "compare with BCM's Developer Manual")
        }
        for (name, what) in [(service, "service"), (call, "call")] {
            let isName =
                !name.isEmpty
                && name.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"): true
                    default: false
                    }
                }
            guard isName else { throw refuse("\(quoted(name)) is no name of a \(what)") }
        }
        var members = [JSONObject.Member("service", .text(service)), JSONObject.Member("call", .text(call))]
        switch arguments.count {
        case 0: break
        case 1: members.append(JSONObject.Member("arg", arguments[0]))
        default: members.append(JSONObject.Member("args", .array(arguments)))
        }
        for member in named {
            guard !members.contains(where: { $0.name == member.name }) else {
                throw refuse("an argument of the name \(quoted(member.name)) stands there already")
            }
            members.append(member)
        }
        return .object(JSONObject(members))
    }

    /// The message of an answer that is nothing but an error. How BCM words one in an answer with status 200 is not in the manual.
    private static func message(of answer: JSONValue) -> String? {
        guard let members = answer.object?.members, members.count == 1, let member = members.first,
            ["error", "errormessage"].contains(member.name.lowercased())
        else { return nil }
        return member.value.string
    }
}
