import CCurl
import CommandExecution
import Glibc
import Synchronization

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

    private(set) var easy: UnsafeMutableRawPointer?
    private var resolveList: UnsafeMutablePointer<curl_slist>?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// A copy of the body, which libcurl reads until the transfer is over. It may hold a password.
    private var body: UnsafeMutableRawBufferPointer?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var outcome = TransferOutcome()
    private var received = 0
    private var headerBytes = 0

    init(request: TransferRequest, gate: PeerGate, consumer: any AnswerConsumer) {
        self.request = request
        self.gate = gate
        self.consumer = consumer
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        release()
        errorBuffer.deallocate()
    }

    /// Frees the handle; it must have left the multi handle.
    func release() {
        if let easy { curl_easy_cleanup(easy) }
        easy = nil
        if let resolveList { curl_slist_free_all(resolveList) }
        resolveList = nil
        if let headerList { curl_slist_free_all(headerList) }
        headerList = nil
        if let body {
            if let start = body.baseAddress { explicit_bzero(start, body.count) }
            body.deallocate()
        }
        body = nil
    }

    /// Makes the easy handle.
    ///
    /// - Returns: nil, with the reason in the outcome, when libcurl refuses an option.
    func prepare() -> UnsafeMutableRawPointer? {
        guard let handle = curl_easy_init() else {
            outcome.code = .outOfMemory
            return nil
        }
        easy = handle
        do {
            try setOptions(handle)
            return handle
        } catch {
            outcome.code = error.code
            outcome.message = "libcurl refuses option \(error.option)"
            return nil
        }
    }

    private struct RefusedOption: Error {
        var option: CURLoption.RawValue
        var code: CurlCode
    }

    private func setOptions(_ handle: UnsafeMutableRawPointer) throws(RefusedOption) {
        func check(_ option: CURLoption, _ code: CURLcode) throws(RefusedOption) {
            guard code == CURLE_OK else { throw RefusedOption(option: option.rawValue, code: CurlCode(code)) }
        }
        func set(_ option: CURLoption, _ value: Int) throws(RefusedOption) {
            try check(option, ccurl_set_long(handle, option, value))
        }
        func set(_ option: CURLoption, _ value: String?) throws(RefusedOption) {
            try check(option, ccurl_set_string(handle, option, value))
        }
        let this = Unmanaged.passUnretained(self).toOpaque()
        try check(CURLOPT_ERRORBUFFER, ccurl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorBuffer))

        // What is asked, and how.
        let headNode = request.headNode
        try set(CURLOPT_URL, "https://\(headNode)\(request.path)")
        try set(CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTPS))
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_USERAGENT, "bcm-jobstats")
        // Undoes an encoding also where none was asked for; the limit counts decoded bytes.
        try set(CURLOPT_ACCEPT_ENCODING, request.acceptsCompression ? "gzip" : "identity")
        if let body = request.body { try setBody(handle, body) }
        if !isIPv4Address(headNode.host) && !headNode.isIPv6 {
            let addresses = request.addresses.map { isIPv6Address($0) ? "[\($0)]" : $0 }.joined(separator: ",")
            resolveList = curl_slist_append(nil, "+\(headNode.host):\(headNode.port):\(addresses)")
            try check(CURLOPT_RESOLVE, ccurl_set_list(handle, CURLOPT_RESOLVE, resolveList))
        }

        // How long it may take, and how much may come.
        let left = request.deadline - .now
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_TIMEOUT_MS, left.wholeMilliseconds)
        try set(CURLOPT_CONNECTTIMEOUT_MS, min(request.connectTimeout, left).wholeMilliseconds)
        try check(
            CURLOPT_MAXFILESIZE_LARGE,
            ccurl_set_offset(handle, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.answerLimit)))
        try check(CURLOPT_OPENSOCKETFUNCTION, ccurl_close_sockets_on_exec(handle))
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try set(CURLOPT_TCP_KEEPIDLE, 30)
        try set(CURLOPT_TCP_KEEPINTVL, 15)
        try set(CURLOPT_TCP_NODELAY, 1)
        try set(CURLOPT_MAXAGE_CONN, 3600)

        // Who we are.
        let newest = request.staysBelowTLS13 ? Int(CURL_SSLVERSION_MAX_TLSv1_2) : Int(CURL_SSLVERSION_MAX_DEFAULT)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2) | newest)
        if let certificateFile = request.certificateFile {
            try set(CURLOPT_SSLCERT, certificateFile)
            try set(CURLOPT_SSLKEY, request.keyFile ?? certificateFile)
            // An empty pass phrase: OpenSSL must not ask for one at the terminal.
            try set(CURLOPT_KEYPASSWD, "")
        }

        if let credentials = request.credentials {
            // HTTP basic authentication is what libcurl does without further instructions.
            try set(CURLOPT_USERNAME, credentials.username)
            let code = credentials.password.reveal { ccurl_set_string(handle, CURLOPT_PASSWORD, $0) }
            try check(CURLOPT_PASSWORD, code)
        }
        if let cookie = request.cookie {
            try check(CURLOPT_COOKIE, cookie.reveal { ccurl_set_string(handle, CURLOPT_COOKIE, $0) })
        }

        // Who they are. The system's authorities never count.
        try set(CURLOPT_CAPATH, nil as String?)
        switch request.trust.method {
        case .authority(let file):
            try set(CURLOPT_CAINFO, file)
            try set(CURLOPT_SSL_VERIFYPEER, 1)
            try set(CURLOPT_SSL_VERIFYHOST, request.verifiesHostname ? 2 : 0)
        case .pinnedKeys, .firstUse, .insecure:
            try set(CURLOPT_CAINFO, nil as String?)
            try set(CURLOPT_SSL_VERIFYPEER, 0)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
        }
        if gate.decidesByKey {
            try check(
                CURLOPT_SSL_CTX_DATA,
                ccurl_set_pointer(handle, CURLOPT_SSL_CTX_DATA, Unmanaged.passUnretained(gate).toOpaque()))
            try check(
                CURLOPT_SSL_CTX_FUNCTION,
                ccurl_set_ssl_callback(handle) { _, context, gate in
                    guard let context, let gate else { return CURLE_ABORTED_BY_CALLBACK }
                    Unmanaged<PeerGate>.fromOpaque(gate).takeUnretainedValue().guardContext(context)
                    return CURLE_OK
                })
        }

        // Where the answer goes.
        try check(CURLOPT_WRITEDATA, ccurl_set_pointer(handle, CURLOPT_WRITEDATA, this))
        try check(
            CURLOPT_WRITEFUNCTION,
            ccurl_set_data_callback(handle, CURLOPT_WRITEFUNCTION) { data, size, count, context in
                guard let data, let context else { return 0 }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
                return transfer.takeBody(bytes) ? bytes.count : 0
            })
        try check(CURLOPT_HEADERDATA, ccurl_set_pointer(handle, CURLOPT_HEADERDATA, this))
        try check(
            CURLOPT_HEADERFUNCTION,
            ccurl_set_data_callback(handle, CURLOPT_HEADERFUNCTION) { data, size, count, context in
                guard let data, let context else { return 0 }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                let line = UnsafeRawBufferPointer(start: data, count: size * count)
                return transfer.takeHeader(line) ? line.count : 0
            })
    }

    private func setBody(_ handle: UnsafeMutableRawPointer, _ content: RequestBody) throws(RefusedOption) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, content.bytes.count), alignment: 1)
        copy.copyBytes(from: content.bytes)
        body = copy
        // libcurl would wait for leave to send a large body, which CMDaemon may not know to give.
        for line in ["Content-Type: \(content.contentType)", "Expect:"] {
            headerList = curl_slist_append(headerList, line) ?? headerList
        }
        let codes = [
            (CURLOPT_POST, ccurl_set_long(handle, CURLOPT_POST, 1)),
            (
                CURLOPT_POSTFIELDSIZE_LARGE,
                ccurl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(content.bytes.count))
            ),
            (CURLOPT_POSTFIELDS, ccurl_set_pointer(handle, CURLOPT_POSTFIELDS, copy.baseAddress)),
            (CURLOPT_HTTPHEADER, ccurl_set_list(handle, CURLOPT_HTTPHEADER, headerList)),
        ]
        for (option, code) in codes where code != CURLE_OK {
            throw RefusedOption(option: option.rawValue, code: CurlCode(code))
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
        outcome.code = code
        outcome.status = number(CURLINFO_RESPONSE_CODE)
        outcome.openedConnection = number(CURLINFO_NUM_CONNECTS) > 0
        // The first is set when TLS of a new connection is done, the second when a request is about to be sent.
        outcome.wasConnected = time(CURLINFO_APPCONNECT_TIME_T) > 0 || time(CURLINFO_PRETRANSFER_TIME_T) > 0
        if code != .ok {
            outcome.message = String(cString: errorBuffer)
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
