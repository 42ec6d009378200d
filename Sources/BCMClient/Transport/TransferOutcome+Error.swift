extension TransferOutcome {
    /// The failure in the caller's terms; nil when the answer is a whole one with status 200, or when the consumer
    /// stopped the transfer and knows why.
    func failure(of request: TransferRequest) -> BCMError? {
        let headNode = request.headNode
        switch stop {
        case .cancelled:
            return BCMError(.cancelled, at: headNode, reason: "the task was cancelled")
        case .shutDown:
            return BCMError(.cancelled, at: headNode, reason: "the client was shut down")
        case .answerLimit:
            return Self.tooLarge(request)
        case .headerLimit:
            return BCMError(
                .tooLarge, at: headNode, reason: "the answer's header is larger than \(Transfer.headerLimit) bytes",
                remedy: "check that CMDaemon is what listens there")
        case .changedKey:
            return notTrusted(request)
        case .neverBegan:
            return BCMError(
                .timedOut, at: headNode, reason: "the time for the request was over before its turn came",
                remedy: "send fewer requests at once, or allow more time")
        case .consumer: return nil
        case nil: break
        }
        return code == .ok ? statusFailure(request) : transportFailure(request)
    }

    /// Whether a request that failed may have been carried out all the same: it may have been sent, and the server did not
    /// say that it declined.
    var mayHaveBeenDone: Bool {
        guard wasConnected, stop != .neverBegan else { return false }
        return !(300..<500).contains(status) && status != 503
    }

    /// Whether a new connection ended between the handshake and the first byte of an answer.
    var wasClosedAfterHandshake: Bool {
        guard stop == nil, openedConnection, wasConnected, status == 0, refusalAlert == nil else { return false }
        return code == .sendError || code == .receiveError || code == .gotNothing
    }

    private func statusFailure(_ request: TransferRequest) -> BCMError? {
        let headNode = request.headNode
        let body = legible(String(decoding: errorBody, as: UTF8.self), limit: 200)
        let answer = "it answered with status \(status)" + (body.isEmpty ? "" : " (\(body))")
        switch status {
        case 200: return nil
        case 401, 403:
            return BCMError(
                .notAuthorised, at: headNode, reason: answer, remedy: Self.authorisationRemedy(request))
        case 404:
            return BCMError(
                .notFound, at: headNode, reason: answer,
                remedy: "check that this version of BCM has the REST interface (9.2 and later)")
        case 400, 405, 409, 413, 422:
            return BCMError(.refused, at: headNode, reason: answer, remedy: "correct what was asked for")
        case 300..<400:
            return BCMError(
                .notUnderstood, at: headNode,
                reason: answer + (redirect.map { ", which points to \(legible($0))" } ?? ""),
                remedy: "name the head node itself; redirections are not followed")
        case 429, 500..<600:
            return BCMError(
                .unavailable, at: headNode, reason: answer,
                remedy: "look at CMDaemon on that head node (/var/log/cmdaemon)")
        default:
            return BCMError(
                .notUnderstood, at: headNode, reason: answer, remedy: "check that CMDaemon is what listens there")
        }
    }

    private func transportFailure(_ request: TransferRequest) -> BCMError {
        let headNode = request.headNode
        if let alert = refusalAlert {
            return BCMError(
                .notAuthorised, at: headNode,
                reason: request.certificateFile.map { "the server refused the certificate \($0) (\(alert))" }
                    ?? "the server wants a client certificate and got none (\(alert))",
                remedy: Self.authorisationRemedy(request))
        }
        switch code {
        case .couldNotResolveHost, .couldNotConnect:
            return BCMError(
                .notReachable, at: headNode, reason: words,
                remedy: "check that the host is up and that CMDaemon listens on port \(headNode.port)")
        case .timedOut where !wasConnected:
            return BCMError(
                .notReachable, at: headNode, reason: "no connection came about in time (\(words))",
                remedy: "check that the host is up, and the network and firewalls on the way to it")
        case .timedOut:
            return BCMError(
                .timedOut, at: headNode, reason: words,
                remedy: "look at the load of the head node, or allow more time for requests")
        case .peerFailedVerification, .issuerError, .keyNotPinned:
            return notTrusted(request)
        case .sslConnectError:
            if refusedKey != nil { return notTrusted(request) }
            if words.contains("wrong version number") || words.contains("http request")
                || words.contains("packet length too long")
            {
                return BCMError(
                    .notUnderstood, at: headNode, reason: "no TLS is spoken there (\(words))",
                    remedy: "check the port: CMDaemon serves HTTPS on \(HeadNode.standardPort) by default")
            }
            return BCMError(
                .connectionLost, at: headNode, reason: "the TLS handshake failed (\(words))",
                remedy: "look at CMDaemon's log on that head node; TLS 1.2 is the oldest version spoken here")
        case .sslCertificateProblem: return certificateProblem(request)
        case .authorityFileUnusable:
            return BCMError(
                .invalidConfiguration, at: headNode, reason: "the CA file cannot be used (\(words))",
                remedy: "give a readable PEM file; on BCM nodes \(BCMPaths.authority)")
        case .fileSizeExceeded: return Self.tooLarge(request)
        case .partialFile, .gotNothing, .receiveError, .sendError:
            return BCMError(
                .connectionLost, at: headNode, reason: words,
                remedy: "look at CMDaemon on that head node; it may also have refused the client certificate this way")
        case .weirdServerReply, .unsupportedProtocol, .badContentEncoding:
            return BCMError(
                .notUnderstood, at: headNode, reason: words, remedy: "check that CMDaemon is what listens there")
        default:
            return BCMError(.connectionLost, at: headNode, reason: "\(words) (libcurl \(code.rawValue))")
        }
    }

    /// What the server's TLS alert says when it is about the client's certificate (RFC 8446, 6.2; older servers send a
    /// handshake failure for a missing one).
    private var refusalAlert: String? {
        guard refusedKey == nil, code == .sslConnectError || code == .receiveError || code == .sendError,
            let start = message.index(after: "alert ")
        else { return nil }
        let alert = message[start...].prefix { $0 != "," }
        let refusals = [
            "certificate required", "bad certificate", "unsupported certificate", "certificate revoked",
            "certificate expired", "certificate unknown", "unknown ca", "access denied", "handshake failure",
        ]
        return refusals.contains { alert.hasSuffix($0) } ? legible(alert) : nil
    }

    private func notTrusted(_ request: TransferRequest) -> BCMError {
        let headNode = request.headNode
        let key = refusedKey.map { "\($0)" } ?? "another one"
        switch request.trust.method {
        case .pinnedKeys:
            return BCMError(
                .notTrusted, at: headNode, reason: "the server's key is \(key), which is not among the pinned keys",
                remedy: "find out why; if that key is right, add it to the pinned keys")
        case .firstUse(let known):
            let before = known[headNode].map { "; it was \($0) before" } ?? ""
            return BCMError(
                .notTrusted, at: headNode,
                reason: "the server's key is not the one that was seen first: now it is \(key)\(before)",
                remedy:
                    "find out why; if that key is right (CMDaemon's certificate was made anew), accept it by removing "
                    + "the remembered key of \(headNode), or pin it")
        case .authority(let file):
            let remedy =
                if words.contains("subject name") || words.contains("host name") || words.contains("target host") {
                    "use a name that the certificate holds, or switch host-name verification off"
                } else if words.contains("expired") || words.contains("not yet valid") {
                    "compare the clocks, and renew CMDaemon's certificate if it has ended"
                } else {
                    "check that \(file) holds the CA of this cluster"
                }
            return BCMError(.notTrusted, at: headNode, reason: words, remedy: remedy)
        case .insecure:
            return BCMError(.notTrusted, at: headNode, reason: words)
        }
    }

    private func certificateProblem(_ request: TransferRequest) -> BCMError {
        let certificate = request.certificateFile ?? ""
        let key = request.keyFile ?? certificate
        let remedy = "check the configured certificate and key files"
        do {
            _ = try Certificate.read(file: certificate)
            guard try Certificate.key(key, belongsTo: certificate) else {
                return BCMError(
                    .invalidConfiguration, at: request.headNode,
                    reason: "the key \(key) does not belong to the certificate \(certificate)", remedy: remedy)
            }
        } catch {
            return BCMError(
                .invalidConfiguration, at: request.headNode, reason: error.reason, remedy: error.remedy ?? remedy)
        }
        return BCMError(.invalidConfiguration, at: request.headNode, reason: words, remedy: remedy)
    }

    private var words: String { legible(message.isEmpty ? code.text : message) }

    private static func tooLarge(_ request: TransferRequest) -> BCMError {
        BCMError(
            .tooLarge, at: request.headNode, reason: "the answer is larger than \(request.answerLimit) bytes",
            remedy: "check that CMDaemon is what listens there, or allow larger answers")
    }

    private static func authorisationRemedy(_ request: TransferRequest) -> String {
        if let user = request.credentials?.username {
            return "check the password of \(quoted(user)), and that this user's profile allows it"
        }
        let may = request.path == "/rest/v1/device" ? "may read devices" : "allows this"
        return "use a certificate of this cluster with a profile that \(may), and check that it has not ended"
    }
}

extension String {
    /// Where the text after the first occurrence of a word begins; nil without one.
    func index(after word: String) -> String.Index? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(word) { return index(start, offsetBy: word.count) }
            start = index(after: start)
        }
        return nil
    }
}
