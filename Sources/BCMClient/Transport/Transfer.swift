import CCurl
import CommandExecution

/// Takes the bytes of an answer as they arrive. Only the engine's thread calls it until the transfer is over; after
/// that only the task that waited for it does.
protocol AnswerConsumer: AnyObject {
    /// Takes the next bytes; they are gone after the call.
    ///
    /// - Returns: false when no more bytes are wanted, which ends the transfer and its connection.
    func consume(_ bytes: UnsafeRawBufferPointer) -> Bool
}

/// What one request needs.
struct TransferRequest: Sendable {
    var headNode: HeadNode
    /// The path, with the query.
    var path: String
    /// What a POST sends; nil for a GET.
    var body: RequestBody?
    /// Whether the answer may come compressed.
    var acceptsCompression = false
    /// The session cookie, `NAME=VALUE`.
    var cookie: Secret?
    /// The user of HTTP basic authentication.
    var credentials: Credentials?
    /// The addresses of the head node.
    var addresses: [String]
    var certificateFile: String?
    var keyFile: String?
    var trust: ServerTrust
    var verifiesHostname: Bool
    var connectTimeout: Duration
    /// When the answer must be whole.
    var deadline: ContinuousClock.Instant
    var answerLimit: Int
    /// Whether TLS 1.2 is the newest version offered.
    var staysBelowTLS13 = false
}

/// How a transfer ended.
struct TransferOutcome: Sendable {
    enum Stop: Sendable {
        case consumer
        case answerLimit
        case headerLimit
        case changedKey
        case cancelled
        case shutDown
        /// Never began: its head node turned out to be unreachable, or the time was over, while it waited its turn.
        case neverBegan
    }
    var code: CurlCode = .ok
    /// libcurl's words about the failure; empty without one.
    var message = ""
    /// The HTTP status; 0 without an answer.
    var status = 0
    /// The first bytes of an answer that is not a success.
    var errorBody: [UInt8] = []
    /// Where a redirecting answer points.
    var redirect: String?
    /// The cookies that were set, `NAME=VALUE` each.
    var cookies: [Secret] = []
    /// Why the transfer was ended from this side.
    var stop: Stop?
    /// Whether a connection was opened for it.
    var openedConnection = false
    /// Whether TCP and TLS were done.
    var wasConnected = false
    /// The key that the gate refused.
    var refusedKey: PublicKeyPin?
}

/// What a POST sends.
struct RequestBody: Sendable {
    var bytes: [UInt8]
    var contentType = "application/json"
}

/// One request on its way through the engine.
///
/// Unchecked: everything but the promise belongs to the engine's thread from submission to fulfilment, and the
/// consumer to the waiting task after that; the promise's lock orders the two.
final class Transfer: @unchecked Sendable {
    static let headerLimit = 256 << 10
    static let errorBodyLimit = 512
    private static let cookieLimit = 16

    let request: TransferRequest
    let gate: PeerGate
    let consumer: any AnswerConsumer
    let promise = Promise<TransferOutcome>()

    private var handle: TransferHandle?
    /// libcurl's own handle, from preparation to release.
    var easy: UnsafeMutableRawPointer? { handle?.easy }
    private var outcome = TransferOutcome()
    private var isFinished = false
    private var received = 0
    private var headerBytes = 0

    init(request: TransferRequest, gate: PeerGate, consumer: any AnswerConsumer) {
        self.request = request
        self.gate = gate
        self.consumer = consumer
    }

    /// Gives the handle away, which must have left the multi handle.
    ///
    /// - Returns: the handle where it may serve another request; otherwise it is gone.
    @discardableResult
    func release() -> TransferHandle? {
        defer { handle = nil }
        return isFinished && outcome.code == .ok ? handle.flatMap { $0.mayServeAgain ? $0 : nil } : nil
    }

    /// Takes a handle: the given one where it was made for such a request, and else a new one.
    ///
    /// - Returns: nil, with the reason in the outcome, when libcurl refuses an option.
    func prepare(reusing other: TransferHandle?) -> UnsafeMutableRawPointer? {
        do {
            let suits = other?.suits(request, gate) ?? false
            let handle = if suits, let other { other } else { try TransferHandle(for: request, gate) }
            try handle.begin(
                until: request.deadline, context: Unmanaged.passUnretained(self).toOpaque(),
                body: { data, size, count, context in
                    guard let data, let context else { return 0 }
                    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                    let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                    return transfer.takeBody(bytes) ? bytes.count : 0
                },
                header: { data, size, count, context in
                    guard let data, let context else { return 0 }
                    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                    let line = UnsafeRawBufferPointer(start: data, count: size * count)
                    return transfer.takeHeader(line) ? line.count : 0
                })
            self.handle = handle
            return handle.easy
        } catch {
            outcome.code = error.code
            outcome.message = error.message
            return nil
        }
    }

    /// A header line came.
    private func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        if headerBytes == 0, !noteKey() {
            outcome.stop = .changedKey
            return false
        }
        headerBytes += line.count
        if headerBytes > Self.headerLimit {
            outcome.stop = .headerLimit
            return false
        }
        if let cookie = Self.cookie(line), outcome.cookies.count < Self.cookieLimit { outcome.cookies.append(cookie) }
        return true
    }

    /// `NAME=VALUE` of a line that sets a cookie; nil for other lines.
    static func cookie(_ line: UnsafeRawBufferPointer) -> Secret? {
        let name = Array("set-cookie:".utf8)
        guard line.count > name.count, zip(line, name).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 }) else { return nil }
        let pair = line.dropFirst(name.count).prefix { $0 != UInt8(ascii: ";") }
        guard pair.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x0d || $0 == 0x0a || $0 == 0x09 }),
            pair.contains(UInt8(ascii: "="))
        else { return nil }
        return Secret(String(decoding: pair, as: UTF8.self).trimmed)
    }

    /// The first line of an answer shows that the peer has the key of its certificate. False when it is another one than
    /// an earlier connection's.
    private func noteKey() -> Bool {
        guard let easy, number(CURLINFO_NUM_CONNECTS) > 0, let ssl = ccurl_get_ssl(easy),
            let key = PublicKeyPin(ofPeer: ssl)
        else { return true }
        guard gate.admits(key) else { return false }
        gate.connected(showing: key)
        return true
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        received += bytes.count
        if received > request.answerLimit {
            outcome.stop = .answerLimit
            return false
        }
        if outcome.status == 0 { outcome.status = number(CURLINFO_RESPONSE_CODE) }
        if outcome.status == 200 {
            if consumer.consume(bytes) { return true }
            outcome.stop = .consumer
            return false
        }
        outcome.errorBody += bytes.prefix(Self.errorBodyLimit - outcome.errorBody.count)
        return true
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        guard let easy, ccurl_get_long(easy, info, &value) == CURLE_OK else { return 0 }
        return value
    }

    private func time(_ info: CURLINFO) -> curl_off_t {
        var value: curl_off_t = 0
        guard let easy, ccurl_get_offset(easy, info, &value) == CURLE_OK else { return 0 }
        return value
    }

    /// What the transfer came to, once libcurl says that it is over.
    func finish(_ code: CurlCode) -> TransferOutcome {
        guard let easy else { return outcome }
        isFinished = true
        outcome.code = code
        outcome.status = number(CURLINFO_RESPONSE_CODE)
        outcome.openedConnection = number(CURLINFO_NUM_CONNECTS) > 0
        // The first is set when TLS of a new connection is done, the second when a request is about to be sent.
        outcome.wasConnected = time(CURLINFO_APPCONNECT_TIME_T) > 0 || time(CURLINFO_PRETRANSFER_TIME_T) > 0
        if code != .ok {
            outcome.message = handle?.message ?? ""
            if outcome.message.isEmpty { outcome.message = code.text }
            outcome.refusedKey = gate.takeRefused()
        }
        if (300..<400).contains(outcome.status) {
            outcome.redirect = ccurl_get_redirect(easy).map { String(cString: $0) }
        }
        return outcome
    }

    /// What it came to when it never became a transfer.
    func finishUnprepared() -> TransferOutcome { outcome }
}

extension Duration {
    /// In milliseconds, rounded up; at least 1, since libcurl takes 0 for "no limit".
    var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        let limit: Int64 = 1 << 31 - 1
        guard seconds < limit / 1000 else { return Int(limit) }
        return Int(max(1, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}
