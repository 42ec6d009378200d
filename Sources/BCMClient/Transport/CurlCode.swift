import CCurl

/// A result of libcurl, with the names of those that are told apart here.
struct CurlCode: RawRepresentable, Sendable, Hashable {
    var rawValue: UInt32
    init(rawValue: UInt32) { self.rawValue = rawValue }
    init(_ code: CURLcode) { rawValue = UInt32(code.rawValue) }

    static let ok = CurlCode(CURLE_OK)
    static let unsupportedProtocol = CurlCode(CURLE_UNSUPPORTED_PROTOCOL)
    static let couldNotResolveHost = CurlCode(CURLE_COULDNT_RESOLVE_HOST)
    static let couldNotConnect = CurlCode(CURLE_COULDNT_CONNECT)
    static let weirdServerReply = CurlCode(CURLE_WEIRD_SERVER_REPLY)
    static let partialFile = CurlCode(CURLE_PARTIAL_FILE)
    static let writeError = CurlCode(CURLE_WRITE_ERROR)
    static let outOfMemory = CurlCode(CURLE_OUT_OF_MEMORY)
    static let timedOut = CurlCode(CURLE_OPERATION_TIMEDOUT)
    static let sslConnectError = CurlCode(CURLE_SSL_CONNECT_ERROR)
    static let gotNothing = CurlCode(CURLE_GOT_NOTHING)
    static let sendError = CurlCode(CURLE_SEND_ERROR)
    static let receiveError = CurlCode(CURLE_RECV_ERROR)
    static let sslCertificateProblem = CurlCode(CURLE_SSL_CERTPROBLEM)
    static let peerFailedVerification = CurlCode(CURLE_PEER_FAILED_VERIFICATION)
    static let badContentEncoding = CurlCode(CURLE_BAD_CONTENT_ENCODING)
    static let fileSizeExceeded = CurlCode(CURLE_FILESIZE_EXCEEDED)
    static let authorityFileUnusable = CurlCode(CURLE_SSL_CACERT_BADFILE)
    static let issuerError = CurlCode(CURLE_SSL_ISSUER_ERROR)
    static let keyNotPinned = CurlCode(CURLE_SSL_PINNEDPUBKEYNOTMATCH)

    /// libcurl's own words for it.
    var text: String { String(cString: curl_easy_strerror(CURLcode(rawValue: rawValue))) }
}

/// libcurl's process-wide set-up, done once.
enum CurlLibrary {
    /// Whether libcurl is ready, and with the TLS library that the key checks need.
    static let status: Result<Void, BCMError> = {
        guard curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK else {
            return .failure(BCMError(.invalidConfiguration, reason: "libcurl could not be initialised"))
        }
        guard ccurl_uses_openssl() != 0 else {
            return .failure(
                BCMError(
                    .invalidConfiguration,
                    reason: "libcurl was built with \(String(cString: ccurl_tls_name())) and not with OpenSSL",
                    remedy: "install libcurl's OpenSSL flavour (package libcurl4)"))
        }
        return .success(())
    }()
}
