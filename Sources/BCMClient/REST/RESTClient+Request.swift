import CommandExecution
import FoundationEssentials
import Logging

/// What came of one request that succeeded.
struct Answer<Consumer: AnswerConsumer> {
    var headNode: HeadNode
    var consumer: Consumer
    var latency: Duration
    /// The cookies that were set.
    var cookies: [Secret]
}

/// Keeps the whole answer, for the small ones.
final class BufferingConsumer: AnswerConsumer {
    private(set) var bytes: [UInt8] = []

    func consume(_ chunk: UnsafeRawBufferPointer) -> Bool {
        bytes += chunk
        return true
    }
}

extension RESTClient {
    /// Does something with the given head node, or with the first where it succeeds.
    ///
    /// - Parameter isRepeatable: whether doing it twice is the same as once. Otherwise the next head node is asked only where it is
    ///   certain that the one before did nothing.
    func onHeadNode<Value>(
        _ only: HeadNode?, isRepeatable: Bool = true, _ body: (HeadNode) async throws(BCMError) -> Value
    ) async throws(BCMError) -> Value {
        if let only { return try await body(only) }
        var failures: [BCMError] = []
        for candidate in order.candidates() {
            do {
                let value = try await body(candidate)
                if let first = failures.first {
                    logger.notice(
                        "a head node failed, another one answered",
                        metadata: ["head_node": "\(candidate)", "failure": "\(first)"])
                }
                return value
            } catch  where error.code == .cancelled || error.code == .refused {
                throw error
            } catch {
                logger.debug("a head node failed", metadata: ["head_node": "\(candidate)", "failure": "\(error)"])
                if !isRepeatable, error.mayHaveBeenDone { throw error.uncertain }
                failures.append(error)
            }
        }
        throw Self.combine(failures)
    }

    /// Gets an answer from the given head node, or from the first that has a good one.
    ///
    /// - Parameters:
    ///   - makeConsumer: makes what takes the bytes; called once for each head node that is tried.
    ///   - check: looks at the consumer when the transfer is over, and throws when the answer is not what was asked for.
    func get<Consumer: AnswerConsumer, Value>(
        _ request: Request, at headNode: HeadNode?, makeConsumer: () -> Consumer,
        check: (Answer<Consumer>) throws(BCMError) -> Value
    ) async throws(BCMError) -> Value {
        try await onHeadNode(headNode) { headNode throws(BCMError) in
            try await send(request, to: headNode, makeConsumer: makeConsumer, check: check)
        }
    }

    /// Gets a JSON answer and reads it.
    func json<Value>(
        _ request: Request, at headNode: HeadNode?, isRepeatable: Bool = true,
        read: (JSONPlace, HeadNode) throws(JSONError) -> Value
    ) async throws(BCMError) -> Value {
        try await onHeadNode(headNode, isRepeatable: isRepeatable) { headNode throws(BCMError) in
            try await sendJSON(request, to: headNode) { place, answer throws(JSONError) in
                try read(place, answer.headNode)
            }
        }
    }

    /// One request to one head node, with a JSON answer.
    func sendJSON<Value>(
        _ request: Request, to headNode: HeadNode,
        read: (JSONPlace, Answer<BufferingConsumer>) throws(JSONError) -> Value
    ) async throws(BCMError) -> Value {
        try await send(request, to: headNode) {
            BufferingConsumer()
        } check: { answer throws(BCMError) in
            do throws(JSONError) {
                let limits = JSONValue.Limits(bytes: configuration.answerLimit)
                return try read(JSONPlace(JSONValue(parsing: answer.consumer.bytes, limits: limits)), answer)
            } catch {
                throw BCMError(
                    .notUnderstood, at: headNode, reason: "the answer to \(request.description): \(error)",
                    remedy: "check that CMDaemon is what listens there, and its version")
            }
        }
    }

    /// One request to one head node.
    func send<Consumer: AnswerConsumer, Value>(
        _ request: Request, to headNode: HeadNode, makeConsumer: () -> Consumer,
        check: (Answer<Consumer>) throws(BCMError) -> Value
    ) async throws(BCMError) -> Value {
        let began = ContinuousClock.now
        do throws(BCMError) {
            let transferRequest = try await prepare(request, headNode, deadline: began + configuration.requestTimeout)
            let (consumer, cookies) = try await transfer(transferRequest, makeConsumer)
            let answer = Answer(headNode: headNode, consumer: consumer, latency: .now - began, cookies: cookies)
            do throws(BCMError) {
                let value = try check(answer)
                order.succeeded(headNode)
                return value
            } catch {
                // The whole answer came, so that what was asked for is done.
                throw error.possiblyDone(true)
            }
        } catch {
            if error.code == .notReachable { resolver.distrust(headNode.host) }
            switch error.code {
            case .cancelled: break
            // It is there and it works.
            case .refused: order.succeeded(headNode)
            default: order.failed(headNode)
            }
            throw error
        }
    }

    /// Gives the consumer that took the answer.
    private func transfer<Consumer: AnswerConsumer>(
        _ request: TransferRequest, _ makeConsumer: () -> Consumer
    ) async throws(BCMError) -> (Consumer, [Secret]) {
        let gate = try gate(of: request.headNode)
        let consumer = makeConsumer()
        let outcome = await engine.perform(Transfer(request: request, gate: gate, consumer: consumer))
        guard let failure = outcome.failure(of: request) else { return (consumer, outcome.cookies) }
        guard outcome.wasClosedAfterHandshake, request.body == nil else {
            throw failure.possiblyDone(outcome.mayHaveBeenDone)
        }
        // With TLS 1.3 a server looks at the client's certificate when the client takes the handshake for done; its
        // refusal can be lost when the connection is reset. TLS 1.2 has it within the handshake, where it is seen.
        var older = request
        older.staysBelowTLS13 = true
        let secondConsumer = makeConsumer()
        let second = await engine.perform(Transfer(request: older, gate: gate, consumer: secondConsumer))
        guard let secondFailure = second.failure(of: older) else { return (secondConsumer, second.cookies) }
        let isTelling = secondFailure.code == .notAuthorised || secondFailure.code == .cancelled
        throw isTelling ? secondFailure : failure
    }

    private func prepare(
        _ request: Request, _ headNode: HeadNode, deadline: ContinuousClock.Instant
    ) async throws(BCMError) -> TransferRequest {
        let limit = min(configuration.connectTimeout, configuration.requestTimeout)
        let remedy = "check the name of the head node, and that a name server answers"
        let addresses: [String]
        switch await resolver.addresses(of: headNode.host, within: limit) {
        case .success(let found): addresses = found
        case .failure(let failure):
            throw BCMError(
                .notReachable, at: headNode, reason: "the name has no address (\(failure.reason))", remedy: remedy)
        case nil where Task.isCancelled:
            throw BCMError(.cancelled, at: headNode, reason: "the task was cancelled")
        case nil:
            throw BCMError(
                .notReachable, at: headNode, reason: "no name server answered within \(limit)", remedy: remedy)
        }
        return TransferRequest(
            headNode: headNode, path: request.target, body: request.body,
            acceptsCompression: request.acceptsCompression, cookie: request.cookie,
            credentials: request.usesBasicAuthentication ? configuration.credentials : nil, addresses: addresses,
            certificateFile: configuration.certificateFile, keyFile: configuration.keyFile,
            trust: configuration.trust, verifiesHostname: configuration.verifiesHostname,
            connectTimeout: configuration.connectTimeout, deadline: deadline, answerLimit: configuration.answerLimit)
    }

    /// One error for the failures of several head nodes: of one kind if they agree, and otherwise of the kind that says
    /// most about what to do.
    static func combine(_ failures: [BCMError]) -> BCMError {
        guard failures.count != 1, let first = failures.first else {
            return failures.first ?? BCMError(.invalidConfiguration, reason: "no head node is configured")
        }
        let telling: [BCMError.Code] = [
            .notTrusted, .notAuthorised, .invalidConfiguration, .notUnderstood, .notFound, .tooLarge, .unavailable,
            .timedOut, .connectionLost, .notReachable,
        ]
        let code = telling.first { code in failures.contains { $0.code == code } } ?? first.code
        let reason = failures.map { "\($0)" }.joined(separator: " | ")
        return BCMError(code, reason: "no head node gave an answer: \(reason)", underlying: failures)
    }
}
