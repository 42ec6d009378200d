import ClusterModel
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL

/// One connection: takes requests apart, lets the service answer, and does to the answer what the fault of the day wants.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    static var decoders: [any ChannelHandler] { [ByteToMessageHandler(HTTPRequestDecoder())] }
    private static let bodyLimit = 1 << 20

    let server: SimulatorServer
    private let number: Int
    private let handshake: TransportMode.Handshake
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var waiting: [(RESTRequest, keepsAlive: Bool)] = []
    private var isBusy = false
    private var hasCounted = false
    private var caller: RESTService.Caller?
    /// What is still to be written of an endless answer.
    var remainder: (any Remainder)?

    init(server: SimulatorServer, number: Int, handshake: TransportMode.Handshake) {
        self.server = server
        self.number = number
        self.handshake = handshake
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer):
            if body.count <= Self.bodyLimit { body += buffer.readableBytesView }
        case .end:
            guard let head else { return }
            self.head = nil
            let headers = head.headers.map { (name: $0.name, value: $0.value) }
            let request = RESTRequest(method: head.method.rawValue, target: head.uri, body: body, headers: headers)
            waiting.append((request, head.isKeepAlive))
            next(context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .handshakeFailed? = error as? NIOSSLError { log("-", "-", "handshake failed: \(error)", 0) }
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        remainder?.proceed(context, self)
        context.fireChannelWritabilityChanged()
    }

    /// Takes up the next request when the one before is answered.
    private func next(_ context: ChannelHandlerContext) {
        guard !isBusy, !waiting.isEmpty else { return }
        isBusy = true
        let (request, keepsAlive) = waiting.removeFirst()
        let state = server.cache.state
        guard TransportMode(state, headNode: server.configuration.headNode).handshake == handshake else {
            SimulatorServer.drop(context.channel)
            return
        }
        let delay = state.switches.latency
        if delay == 0 {
            answer(request, state, keepsAlive, context)
        } else {
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(Int64(delay))) {
                let (handler, context) = bound.value
                handler.answer(request, state, keepsAlive, context)
            }
        }
    }

    /// The answer to a request is complete: on with the next, or the end.
    func finish(_ context: ChannelHandlerContext, keepsAlive: Bool) {
        remainder = nil
        guard keepsAlive else { return closeWhenWritten(context) }
        context.flush()
        isBusy = false
        next(context)
    }

    /// Closes the connection when what was written has left; closing at once would throw it away.
    func closeWhenWritten(_ context: ChannelHandlerContext) {
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in bound.value.close(promise: nil) }
    }

    private func answer(
        _ request: RESTRequest, _ state: ClusterState, _ keepsAlive: Bool, _ context: ChannelHandlerContext
    ) {
        if request.path == "/simulator/counters" {
            let counters = server.counters
            let document = JSONText.members(
                ("accepted", .number(counters.accepted)), ("connections", .number(counters.connections)),
                ("requests", .number(counters.requests)))
            write(RESTAnswer(document), keepsAlive, context)
            finish(context, keepsAlive: keepsAlive)
            return
        }
        server.count(firstOnConnection: !hasCounted)
        hasCounted = true
        let caller = self.caller ?? identify(context, state)
        self.caller = caller
        var request = request
        let detour = "/simulator/redirected"
        let fault = request.path.hasPrefix(detour) ? nil : state.fault(at: server.configuration.headNode)
        if request.path.hasPrefix(detour) { request.path.removeFirst(detour.count) }
        var answer: RESTAnswer
        if request.body.count > Self.bodyLimit {
            answer = .error(413, "the body is larger than \(Self.bodyLimit) bytes")
        } else {
            answer = server.service.answer(request, from: current(caller, state), in: state, cache: server.cache)
        }
        if request.acceptsGzip, answer.body.count > 200, !answer.isCompressed { answer.compress() }
        if let fault {
            if Perpetrator.perform(fault, on: &answer, request, keepsAlive, self, context) {
                log(request.method, request.path, "fault=\(fault.rawValue)", answer.body.count)
                return
            }
        }
        log(request.method, request.path, "status=\(answer.status)", answer.body.count)
        write(answer, keepsAlive, context)
        finish(context, keepsAlive: keepsAlive)
    }

    /// The head of an answer; nil as length stands for chunks.
    func writeHead(_ answer: RESTAnswer, length: Int?, _ keepsAlive: Bool, _ context: ChannelHandlerContext) {
        var text = "HTTP/1.1 \(answer.status) \(RESTAnswer.reason(answer.status))\r\n"
        text += "Server: BCM-simulator (not CMDaemon)\r\nContent-Type: application/json\r\n"
        text += length.map { "Content-Length: \($0)\r\n" } ?? "Transfer-Encoding: chunked\r\n"
        for (name, value) in answer.headers { text += "\(name): \(value)\r\n" }
        text += "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        context.write(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    func write(_ answer: RESTAnswer, _ keepsAlive: Bool, _ context: ChannelHandlerContext) {
        writeHead(answer, length: answer.body.count, keepsAlive, context)
        context.write(wrapOutboundOut(ByteBuffer(bytes: answer.body)), promise: nil)
    }

    // MARK: Who asks

    private func identify(_ context: ChannelHandlerContext, _ state: ClusterState) -> RESTService.Caller {
        guard let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate() else { return .nobody }
        let digits = certificate.serialNumber.map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true)
        }.joined()
        return .unknown(serial: String(digits.drop { $0 == "0" }))
    }

    /// What the state says of the certificate now: it may have been made or revoked since.
    private func current(_ caller: RESTService.Caller, _ state: ClusterState) -> RESTService.Caller {
        guard case .unknown(let serial) = caller,
            let known = state.certificates.first(where: { $0.serial == serial })
        else { return caller }
        return .known(known)
    }

    private func log(_ method: String, _ path: String, _ outcome: String, _ bytes: Int) {
        guard let accessLog = server.configuration.accessLog else { return }
        var name = "-"
        if let caller, case .known(let certificate) = current(caller, server.cache.state) {
            name = certificate.commonName
        }
        let milliseconds = Int(Date().timeIntervalSince1970 * 1000)
        let time = "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())"
        accessLog(
            "\(time) \(server.configuration.headNode) connection=\(number) \(method) \(path) cn=\(name) \(outcome) "
                + "bytes=\(bytes)")
    }
}
