import CCurl
import CommandExecution
import Glibc

/// A libcurl handle with the options of a request.
///
/// Making one and setting its options costs as much as a small answer, so that one whose request went well is kept for the next
/// request that is alike: the monitor asks the same each minute. Only the engine's thread touches it.
final class TransferHandle {
    /// An option that libcurl refuses.
    struct Failure: Error {
        var code: CurlCode
        var message = ""
    }

    let easy: UnsafeMutableRawPointer
    private let request: TransferRequest
    private let gate: PeerGate
    private var resolveList: UnsafeMutablePointer<curl_slist>?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// A copy of the body, which libcurl reads until the transfer is over. It may hold a password.
    private var body: UnsafeMutableRawBufferPointer?
    private let errorBuffer = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// Makes a handle and sets all options that do not depend on the moment.
    init(for request: TransferRequest, _ gate: PeerGate) throws(Failure) {
        guard let handle = curl_easy_init() else {
            errorBuffer.deallocate()
            throw Failure(code: .outOfMemory)
        }
        easy = handle
        self.request = request
        self.gate = gate
        errorBuffer.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        try setOptions()
    }

    deinit {
        curl_easy_cleanup(easy)
        if let resolveList { curl_slist_free_all(resolveList) }
        if let headerList { curl_slist_free_all(headerList) }
        if let body {
            if let start = body.baseAddress { explicit_bzero(start, body.count) }
            body.deallocate()
        }
        errorBuffer.deallocate()
    }

    /// libcurl's words about the last failure.
    var message: String { String(cString: errorBuffer) }

    /// Whether it may be kept: not where it holds a secret or what is sent.
    var mayServeAgain: Bool { request.body == nil && request.cookie == nil && request.credentials == nil }

    /// Whether it was made for such a request, at whatever time.
    func suits(_ other: TransferRequest, _ gate: PeerGate) -> Bool {
        mayServeAgain && other.body == nil && other.cookie == nil && other.credentials == nil && self.gate === gate
            && request.headNode == other.headNode && request.path == other.path && request.addresses == other.addresses
            && request.acceptsCompression == other.acceptsCompression
            && request.certificateFile == other.certificateFile && request.keyFile == other.keyFile
            && request.trust == other.trust && request.verifiesHostname == other.verifiesHostname
            && request.connectTimeout == other.connectTimeout && request.answerLimit == other.answerLimit
            && request.staysBelowTLS13 == other.staysBelowTLS13
    }

    /// Sets what is a single transfer's: its time, and who takes the answer.
    func begin(
        until deadline: ContinuousClock.Instant, context: UnsafeMutableRawPointer, body: @escaping ccurl_data_callback,
        header: @escaping ccurl_data_callback
    ) throws(Failure) {
        errorBuffer[0] = 0
        let left = deadline - .now
        try set(CURLOPT_TIMEOUT_MS, left.wholeMilliseconds)
        try set(CURLOPT_CONNECTTIMEOUT_MS, min(request.connectTimeout, left).wholeMilliseconds)
        // Forgotten by libcurl after a minute, and needed when a new connection is made.
        if resolveList != nil { try check(CURLOPT_RESOLVE, ccurl_set_list(easy, CURLOPT_RESOLVE, resolveList)) }
        try check(CURLOPT_WRITEDATA, ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context))
        try check(CURLOPT_WRITEFUNCTION, ccurl_set_data_callback(easy, CURLOPT_WRITEFUNCTION, body))
        try check(CURLOPT_HEADERDATA, ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context))
        try check(CURLOPT_HEADERFUNCTION, ccurl_set_data_callback(easy, CURLOPT_HEADERFUNCTION, header))
    }

    private func check(_ option: CURLoption, _ code: CURLcode) throws(Failure) {
        guard code != CURLE_OK else { return }
        throw Failure(code: CurlCode(code), message: "libcurl refuses option \(option.rawValue)")
    }
    private func set(_ option: CURLoption, _ value: Int) throws(Failure) {
        try check(option, ccurl_set_long(easy, option, value))
    }
    private func set(_ option: CURLoption, _ value: String?) throws(Failure) {
        try check(option, ccurl_set_string(easy, option, value))
    }

    private func setOptions() throws(Failure) {
        try check(CURLOPT_ERRORBUFFER, ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorBuffer))

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
        if let body = request.body { try setBody(body) }
        if !isIPv4Address(headNode.host) && !headNode.isIPv6 {
            let addresses = request.addresses.map { isIPv6Address($0) ? "[\($0)]" : $0 }.joined(separator: ",")
            resolveList = curl_slist_append(nil, "+\(headNode.host):\(headNode.port):\(addresses)")
        }

        // How much may come, and over which connections.
        try set(CURLOPT_NOSIGNAL, 1)
        try check(
            CURLOPT_MAXFILESIZE_LARGE,
            ccurl_set_offset(easy, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(request.answerLimit)))
        try check(CURLOPT_OPENSOCKETFUNCTION, ccurl_close_sockets_on_exec(easy))
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
            let code = credentials.password.reveal { ccurl_set_string(easy, CURLOPT_PASSWORD, $0) }
            try check(CURLOPT_PASSWORD, code)
        }
        if let cookie = request.cookie {
            try check(CURLOPT_COOKIE, cookie.reveal { ccurl_set_string(easy, CURLOPT_COOKIE, $0) })
        }

        // Each connection is a full handshake. libcurl keeps TLS sessions with the handle: a resumed one checks nobody's
        // certificate or key, shows the server an earlier certificate of ours, and is refused by servers without a session
        // ID context (SSL_CTX_set_session_id_context(3)).
        try set(CURLOPT_SSL_SESSIONID_CACHE, 0)

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
                ccurl_set_pointer(easy, CURLOPT_SSL_CTX_DATA, Unmanaged.passUnretained(gate).toOpaque()))
            try check(
                CURLOPT_SSL_CTX_FUNCTION,
                ccurl_set_ssl_callback(easy) { _, context, gate in
                    guard let context, let gate else { return CURLE_ABORTED_BY_CALLBACK }
                    Unmanaged<PeerGate>.fromOpaque(gate).takeUnretainedValue().guardContext(context)
                    return CURLE_OK
                })
        }
    }

    private func setBody(_ content: RequestBody) throws(Failure) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, content.bytes.count), alignment: 1)
        copy.copyBytes(from: content.bytes)
        body = copy
        // libcurl would wait for leave to send a large body, which CMDaemon may not know to give.
        for line in ["Content-Type: \(content.contentType)", "Expect:"] {
            headerList = curl_slist_append(headerList, line) ?? headerList
        }
        let codes = [
            (CURLOPT_POST, ccurl_set_long(easy, CURLOPT_POST, 1)),
            (
                CURLOPT_POSTFIELDSIZE_LARGE,
                ccurl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(content.bytes.count))
            ),
            (CURLOPT_POSTFIELDS, ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, copy.baseAddress)),
            (CURLOPT_HTTPHEADER, ccurl_set_list(easy, CURLOPT_HTTPHEADER, headerList)),
        ]
        for (option, code) in codes { try check(option, code) }
    }
}
