import Logging

import FoundationEssentials

/// What came of one GET that succeeded.
struct Answer<Consumer: AnswerConsumer> {
    var headNode: HeadNode
    var consumer: Consumer
    var latency: Duration
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
    /// Gets a path from the given head node, or from the first that has a good answer.
    ///
    /// - Parameters:
    ///   - makeConsumer: makes what takes the bytes; called once for each head node that is tried.
    ///   - check: looks at the consumer when the transfer is over, and throws when the answer is not what was asked for.
    func get<Consumer: AnswerConsumer, Value>(
        _ path: String, at headNode: HeadNode?, makeConsumer: () -> Consumer,
        check: (Answer<Consumer>) throws(BCMError) -> Value
    ) async throws(BCMError) -> Value {
        if let headNode { return try await get(path, from: headNode, makeConsumer: makeConsumer, check: check) }
        var failures: [BCMError] = []
        for candidate in order.candidates() {
            do {
                let value = try await get(path, from: candidate, makeConsumer: makeConsumer, check: check)
                if let first = failures.first {
                    logger.notice(
                        "a head node failed, another one answered",
                        metadata: ["head_node": "\(candidate)", "failure": "\(first)"])
                }
                return value
            } catch  where error.code == .cancelled {
                throw error
            } catch {
                logger.debug("a head node failed", metadata: ["head_node": "\(candidate)", "failure": "\(error)"])
                failures.append(error)
            }
        }
        throw Self.combine(failures)
    }

    private func get<Consumer: AnswerConsumer, Value>(
        _ path: String, from headNode: HeadNode, makeConsumer: () -> Consumer,
        check: (Answer<Consumer>) throws(BCMError) -> Value
    ) async throws(BCMError) -> Value {
        let began = ContinuousClock.now
        do throws(BCMError) {
            let request = try await request(path, headNode, deadline: began + configuration.requestTimeout)
            let consumer = try await transfer(request, makeConsumer)
            let value = try check(Answer(headNode: headNode, consumer: consumer, latency: .now - began))
            order.succeeded(headNode)
            return value
        } catch {
            if error.code == .notReachable { resolver.distrust(headNode.host) }
            if error.code != .cancelled { order.failed(headNode) }
            throw error
        }
    }

    /// Gives the consumer that took the answer.
    private func transfer<Consumer: AnswerConsumer>(
        _ request: TransferRequest, _ makeConsumer: () -> Consumer
    ) async throws(BCMError) -> Consumer {
        let gate = try gate(of: request.headNode)
        let consumer = makeConsumer()
        let outcome = await engine.perform(Transfer(request: request, gate: gate, consumer: consumer))
        guard let failure = outcome.failure(of: request) else { return consumer }
        guard outcome.wasClosedAfterHandshake else { throw failure }
        // With TLS 1.3 a server looks at the client's certificate when the client takes the handshake for done; its
        // refusal can be lost when the connection is reset. TLS 1.2 has it within the handshake, where it is seen.
        var older = request
        older.staysBelowTLS13 = true
        let secondConsumer = makeConsumer()
        let second = await engine.perform(Transfer(request: older, gate: gate, consumer: secondConsumer))
        guard let secondFailure = second.failure(of: older) else { return secondConsumer }
        let isTelling = secondFailure.code == .notAuthorised || secondFailure.code == .cancelled
        throw isTelling ? secondFailure : failure
    }

    private func request(
        _ path: String, _ headNode: HeadNode, deadline: ContinuousClock.Instant
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
            headNode: headNode, path: path, addresses: addresses, certificateFile: configuration.certificateFile,
            keyFile: configuration.keyFile, trust: configuration.trust,
            verifiesHostname: configuration.verifiesHostname, connectTimeout: configuration.connectTimeout,
            deadline: deadline, answerLimit: configuration.answerLimit)
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
