import Logging
import Testing

@testable import BCMClient

struct ModelTests {
    @Test(arguments: [
        ("head-a", "head-a", 8081), ("head-a:9", "head-a", 9), ("10.1.2.3:65535", "10.1.2.3", 65_535),
        ("::1", "::1", 8081), ("[::1]", "::1", 8081), ("[fe80::1]:44", "fe80::1", 44),
        ("Head_A.cm.cluster", "Head_A.cm.cluster", 8081),
    ])
    func headNodesAreRead(_ text: String, _ host: String, _ port: Int) throws {
        #expect(try HeadNode(parsing: text) == HeadNode(host: host, port: port))
    }

    @Test(arguments: [
        "", ":8081", "head-a:", "head-a:0", "head-a:65536", "head-a:+1", "head-a:x", "head-a:-1", "[::1", "[::1]x",
        "[]:1",
        "[head-a]:1", "1::2::3", "head a", "head-a/x", "user@head-a", "head-a?x", "-x", ".x", "a;b", "$(x)", "hé",
        "a\nb",
        "::1%eth0", String(repeating: "a", count: 254),
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(throws: BCMError(.invalidConfiguration, reason: "")) { try HeadNode(parsing: text) }
    }

    @Test func theDefaultPortIsTheCallers() throws {
        #expect(try HeadNode(parsing: "head-a", defaultPort: 7) == HeadNode(host: "head-a", port: 7))
    }

    @Test func pinsAreRead() throws {
        let text = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        #expect(try PublicKeyPin(parsing: text).description == text)
        // The SHA-256 digest of nothing.
        let digest: [UInt8] = [
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
            0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
        ]
        #expect(PublicKeyPin(digest: digest).description == text)
    }

    @Test(arguments: [
        "", "sha256//", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha1//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA", "sha256//47DEQpj8HBSa+/TImW;5JCeuQeRkm5NMpJWZG3hSuFU=",
        "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;",
    ])
    func otherPinsAreRefused(_ text: String) {
        #expect(throws: BCMError(.invalidConfiguration, reason: "")) { try PublicKeyPin(parsing: text) }
    }

    @Test func errorsNameTheHeadNodeTheCauseAndTheRemedy() {
        let error = BCMError(.notReachable, at: HeadNode(host: "::1"), reason: "nobody there", remedy: "start it")
        #expect("\(error)" == "[::1]:8081: not reachable: nobody there; start it")
        #expect("\(error.code)" == "not reachable")
        #expect(error == BCMError(.notReachable, reason: "else"))
        #expect(error != BCMError(.timedOut, reason: "nobody there"))
    }

    @Test func foreignTextInErrorsIsBoundedAndWithoutControlCharacters() {
        #expect(quoted("a\u{1b}[2J\nb") == "\"a [2J b\"")
        #expect(legible(String(repeating: "x", count: 1000), limit: 10) == "xxxxxxxxxx…")
    }

    @Test func settingsThatCannotWorkAreRefusedAtOnce() throws {
        let good = RESTClient.Configuration(headNodes: [HeadNode(host: "head-a")], trust: .insecure)
        let changes: [(inout RESTClient.Configuration) -> Void] = [
            { $0.headNodes = [] }, { $0.headNodes = [HeadNode(host: "a b")] }, { $0.headNodes[0].port = 0 },
            { $0.certificateFile = "x" }, { $0.keyFile = "x" }, { $0.trust = .pinnedKeys([]) },
            { $0.trust = .authority(file: "") }, { $0.connectTimeout = .zero }, { $0.requestTimeout = .seconds(-1) },
            { $0.answerLimit = 0 }, { ($0.certificateFile, $0.keyFile) = ("", "") },
        ]
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        _ = try RESTClient(configuration: good, logger: logger)
        for change in changes {
            var configuration = good
            change(&configuration)
            #expect(throws: BCMError(.invalidConfiguration, reason: "")) {
                try RESTClient(configuration: configuration, logger: logger)
            }
        }
    }

    @Test func durationsBecomeMillisecondsRoundedUp() {
        #expect(Duration.milliseconds(5).wholeMilliseconds == 5)
        #expect(Duration.microseconds(1).wholeMilliseconds == 1)
        #expect(Duration.microseconds(1001).wholeMilliseconds == 2)
        #expect(Duration.zero.wholeMilliseconds == 1)
        #expect(Duration.seconds(-3).wholeMilliseconds == 1)
        #expect(Duration.seconds(Int64.max / 2).wholeMilliseconds == 1 << 31 - 1)
    }
}
