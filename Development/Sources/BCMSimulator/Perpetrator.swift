import ClusterModel
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Something that goes on writing an answer when there is room again.
protocol Remainder {
    func proceed(_ context: ChannelHandlerContext, _ handler: ConnectionHandler)
}

/// Does to an answer what a fault asks for.
enum Perpetrator {
    /// Changes the answer, or deals with it whole: then the result is true and nothing is left to write.
    static func perform(
        _ fault: Fault, on answer: inout RESTAnswer, _ request: RESTRequest, _ keepsAlive: Bool,
        _ handler: ConnectionHandler, _ context: ChannelHandlerContext
    ) -> Bool {
        if let status = fault.status {
            answer = .error(status, "a fault on demand of the simulator")
            if status == 429 || status == 503 { answer.headers = [("Retry-After", "1")] }
            return false
        }
        switch fault {
        case .redirect:
            answer = .error(302, "look elsewhere")
            answer.headers = [("Location", "/simulator/redirected" + request.path)]
        case .garbage:
            // The same bytes each time: a multiplicative sequence that holds zeros, controls and broken UTF-8.
            answer.body = (1...4096).map { UInt8(truncatingIfNeeded: $0 &* 0x9E37_79B1 >> 13) }
        case .wrongType:
            let isArray = answer.body.first == UInt8(ascii: "[")
            answer.headers = answer.headers.filter { $0.0 != "Content-Encoding" }
            answer.body = Array((isArray ? "{\"unexpected\": \"object\"}" : "[\"unexpected\"]").utf8)
        case .gzipBomb:
            answer.body = GzipBomb.bytes
            answer.headers = answer.headers.filter { $0.0 != "Content-Encoding" }
            answer.headers.append(("Content-Encoding", "gzip"))
        case .hangHeader: return true
        case .hangBody, .truncate:
            handler.writeHead(answer, length: answer.body.count, keepsAlive, context)
            let half = answer.body.prefix(max(1, answer.body.count / 2))
            context.writeAndFlush(handler.wrapOutboundOut(ByteBuffer(bytes: half)), promise: nil)
            if fault == .truncate { handler.closeWhenWritten(context) }
            return true
        case .reset:
            reset(context)
            return true
        case .slow:
            handler.writeHead(answer, length: answer.body.count, keepsAlive, context)
            context.flush()
            trickle(answer.body[...], keepsAlive, handler, context)
            return true
        case .huge:
            handler.writeHead(answer, length: nil, false, context)
            let flood = Flood()
            handler.remainder = flood
            flood.proceed(context, handler)
            return true
        default: break
        }
        return false
    }

    /// Closes with RST.
    private static func reset(_ context: ChannelHandlerContext) {
        let channel = context.channel
        guard let options = channel as? any SocketOptionProvider else { return SimulatorServer.drop(channel) }
        options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in SimulatorServer.drop(channel) }
    }

    /// One byte a second.
    private static func trickle(
        _ bytes: ArraySlice<UInt8>, _ keepsAlive: Bool, _ handler: ConnectionHandler, _ context: ChannelHandlerContext
    ) {
        guard context.channel.isActive else { return }
        guard let first = bytes.first else { return handler.finish(context, keepsAlive: keepsAlive) }
        context.writeAndFlush(handler.wrapOutboundOut(ByteBuffer(bytes: [first])), promise: nil)
        let bound = NIOLoopBound((handler, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .seconds(1)) {
            let (handler, context) = bound.value
            trickle(bytes.dropFirst(), keepsAlive, handler, context)
        }
    }
}

/// A well-formed list of devices of 128 MiB in chunks.
private final class Flood: Remainder {
    private static let size = 128 << 20
    private var written = 0
    private let block: ByteBuffer
    private let blockSize: Int

    init() {
        let device =
            #"{"category": "default", "cluster": "basecm10", "hostname": "flood", "ip": "10.141.0.1", "#
            + #""mac": "FA:16:3E:2B:A4:31", "network": "internalnet", "type": "PhysicalNode"}, "#
        let devices = String(repeating: device, count: 400)
        blockSize = devices.utf8.count
        block = Self.chunk(devices)
    }

    func proceed(_ context: ChannelHandlerContext, _ handler: ConnectionHandler) {
        if written == 0 { context.write(handler.wrapOutboundOut(Self.chunk("[")), promise: nil) }
        while context.channel.isWritable && written < Self.size {
            written += blockSize
            context.writeAndFlush(handler.wrapOutboundOut(block), promise: nil)
        }
        guard written >= Self.size else { return }
        context.write(handler.wrapOutboundOut(Self.chunk("{\"hostname\": \"last\"}]\n")), promise: nil)
        context.write(handler.wrapOutboundOut(ByteBuffer(string: "0\r\n\r\n")), promise: nil)
        handler.finish(context, keepsAlive: false)
    }

    private static func chunk(_ text: String) -> ByteBuffer {
        ByteBuffer(string: String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n")
    }
}
