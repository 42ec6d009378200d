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

    @Test func serverThatIsNotThereIsSaidInCurlsWords() async throws {
        var download = Download(executor: LocalExecutor())
        download.attempts = 1
        let words = await failure { () async throws(ProgramProblem) in
            try await download.fetch("http://127.0.0.1:1/x", sha256: "", to: "\(folder.path)/got")
        }
        #expect(words.hasPrefix("http://127.0.0.1:1/x cannot be fetched: curl: (7) Failed to connect"))
    }
}
