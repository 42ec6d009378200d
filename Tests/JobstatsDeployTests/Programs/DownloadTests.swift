import CommandExecution
import Testing

@testable import JobstatsDeploy

@Suite struct DownloadTests {
    private let folder = TemporaryFolder()
    private let content = (0..<20_000).map { "line \($0)\n" }.joined()

    private func withServer(_ body: (FileServer, Download, String) async throws -> Void) async throws {
        let server = try await FileServer(serving: folder.write("served", content))
        var download = Download(executor: LocalExecutor())
        download.pause = .zero
        download.stall = 1
        try await body(server, download, SHA256Digest.hex(Array(content.utf8)))
        await server.stop()
    }

    private func failure(_ work: () async throws(ProgramProblem) -> Void) async -> String {
        do {
            try await work()
            return "no failure"
        } catch {
            return error.description
        }
    }

    @Test(arguments: ["/whole", "/cut", "/cut-no-ranges", "/busy", "/moved"])
    func fileArrivesWholeWhateverTheServerDoesFirst(_ path: String) async throws {
        try await withServer { server, download, sum in
            try await download.fetch(server.url(path), sha256: sum, to: "\(folder.path)/got")
            #expect(folder.read("got") == content)
        }
    }

    @Test func cutTransferGoesOnWhereItBrokeOff() async throws {
        try await withServer { server, download, sum in
            try await download.fetch(server.url("/cut"), sha256: sum, to: "\(folder.path)/got")
            let count = try await server.count("/cut")
            #expect(count == 2)
        }
    }

    @Test func wrongSumNamesAddressExpectedAndFound() async throws {
        try await withServer { server, download, sum in
            let expected = String(repeating: "0", count: 64)
            let words = await failure { () async throws(ProgramProblem) in
                try await download.fetch(server.url("/whole"), sha256: expected, to: "\(folder.path)/got")
            }
            #expect(words.contains(server.url("/whole")) && words.contains(expected) && words.contains(sum))
            let count = try await server.count("/whole")
            #expect(count == 1)
        }
    }

    @Test func whatIsLeftOfAnotherFileIsFetchedAgainFromItsBeginning() async throws {
        try await withServer { server, download, sum in
            folder.write("got", "something else")
            try await download.fetch(server.url("/whole"), sha256: sum, to: "\(folder.path)/got")
            #expect(folder.read("got") == content)
        }
    }

    @Test func hangingServerEndsTheAttemptAndThenTheDownload() async throws {
        try await withServer { server, download, sum in
            var download = download
            download.attempts = 2
            let words = await failure { () async throws(ProgramProblem) in
                try await download.fetch(server.url("/hang"), sha256: sum, to: "\(folder.path)/got")
            }
            #expect(words.contains("/hang cannot be fetched: curl: (28)"))
            let count = try await server.count("/hang")
            #expect(count == 2)
        }
    }

    @Test func missingFileIsNotAskedForTwice() async throws {
        try await withServer { server, download, sum in
            let words = await failure { () async throws(ProgramProblem) in
                try await download.fetch(server.url("/none"), sha256: sum, to: "\(folder.path)/got")
            }
            #expect(words.contains("404"))
            let count = try await server.count("/none")
            #expect(count == 1)
        }
    }

    @Test func redirectionToAFileOfThisHostIsRefused() async throws {
        try await withServer { server, download, sum in
            let words = await failure { () async throws(ProgramProblem) in
                try await download.fetch(server.url("/to-file"), sha256: sum, to: "\(folder.path)/got")
            }
            #expect(words.contains("/to-file cannot be fetched: curl: (1)"))
            #expect(folder.read("got") == nil)
        }
    }

    /// Two servers, of which the first speaks HTTPS and leads to the second, which does not; and what trusts the first.
    private func withRedirection(
        _ body: (_ secured: FileServer, _ plain: FileServer, _ executor: TrustingExecutor) async throws -> Void
    ) async throws {
        let file = folder.write("served", content)
        let certificate = try await FileServer.makeCertificate(in: folder.path)
        let secured = try await FileServer(serving: file, certificate: certificate)
        let plain = try await FileServer(serving: file)
        try await body(secured, plain, TrustingExecutor(authority: certificate))
        await secured.stop()
        await plain.stop()
    }

    @Test func httpsAddressIsNotLeftForHTTP() async throws {
        try await withRedirection { secured, plain, executor in
            let sum = SHA256Digest.hex(Array(content.utf8))
            let download = Download(executor: executor, attempts: 1)
            let words = await failure { () async throws(ProgramProblem) in
                try await download.fetch(
                    secured.url("/to-http/\(plain.port)/whole"), sha256: sum, to: "\(folder.path)/got")
            }
            #expect(words.contains("/whole cannot be fetched: curl: (1)"))
            let count = try await plain.count("/whole")
            #expect(count == 0)
            // From one path to another of a server that speaks HTTPS it goes.
            try await download.fetch(secured.url("/moved"), sha256: sum, to: "\(folder.path)/moved")
            #expect(folder.read("moved") == content)
        }
    }

    @Test func gitRepositoryAtAnHTTPSAddressIsNotFetchedOverHTTP() async throws {
        try await withRedirection { secured, plain, executor in
            let revision = GitRevision(
                executor: executor, url: secured.url("/to-http/\(plain.port)/repository"),
                revision: String(repeating: "0", count: 40))
            let words = await failure { () async throws(ProgramProblem) in
                _ = try await revision.archive(in: folder.path)
            }
            #expect(words.contains("cannot be fetched"))
            let asked = try await secured.count(
                "/to-http/\(plain.port)/repository/info/refs?service=git-upload-pack")
            #expect(asked > 0)
            let count = try await plain.count("/repository/info/refs?service=git-upload-pack")
            #expect(count == 0)
        }
    }

    @Test func serverThatIsNotThereIsSaidInCurlsWords() async throws {
        var download = Download(executor: LocalExecutor())
        download.attempts = 1
        let words = await failure { () async throws(ProgramProblem) in
            try await download.fetch("http://127.0.0.1:1/x", sha256: "", to: "\(folder.path)/got")
        }
        #expect(words.hasPrefix("http://127.0.0.1:1/x cannot be fetched: curl: (7) Failed to connect"))
    }
}

/// Runs commands on this machine, where curl and git take this authority's certificates.
private struct TrustingExecutor: CommandExecutor {
    let authority: String

    func run(_ command: Command) async throws(CommandError) -> CommandResult {
        var command = command
        command.environment["CURL_CA_BUNDLE"] = authority
        command.environment["GIT_SSL_CAINFO"] = authority
        return try await LocalExecutor().run(command)
    }
}
