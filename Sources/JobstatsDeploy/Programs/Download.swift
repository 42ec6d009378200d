import CommandExecution
import Glibc

/// Fetches one file with curl(1), which takes proxies from the environment, and verifies it.
struct Download: Sendable {
    let executor: any CommandExecutor
    /// How often it is tried; a later attempt goes on where the one before broke off.
    var attempts = 5
    /// The pause before the second attempt; each further one is twice as long.
    var pause = Duration.seconds(2)
    /// After how many seconds without data an attempt ends.
    var stall = 30
    /// How long one attempt may last, in seconds.
    var limit = 1800

    /// The largest file that is fetched: 2 GiB.
    static let sizeLimit = 2 << 30

    /// The protocols over which the content of an address may come: redirections never lead from HTTPS to HTTP.
    static func protocols(for url: String) -> [String] {
        url.hasPrefix("http://") ? ["https", "http"] : ["https"]
    }

    /// Fetches the file to a path in a work folder.
    ///
    /// - Throws: when it cannot be had, with curl's words, or when it has another SHA-256.
    func fetch(_ url: String, sha256: String, to path: String) async throws(ProgramProblem) {
        var pause = pause
        var hasResumed = false
        for attempt in 1...max(1, attempts) {
            let resumes = access(path, F_OK) == 0
            switch try await transfer(url, to: path) {
            case .whole:
                guard let (sum, _) = await SHA256Digest.file(path) else {
                    throw ProgramProblem("\(url) is empty")
                }
                if sum == sha256 { return }
                // Parts of two different files may have come together; a file from one piece is simply wrong.
                guard resumes, !hasResumed else {
                    throw ProgramProblem(
                        "\(url) has the SHA-256 \(sum), expected \(sha256): the file is damaged or another one, "
                            + "and is not used")
                }
                hasResumed = true
                unlink(path)
            case .cannotResume:
                unlink(path)
            case .failed(let words, let isTransient):
                guard isTransient, attempt < attempts else {
                    throw ProgramProblem("\(url) cannot be fetched: \(words)")
                }
                guard (try? await Task.sleep(for: pause)) != nil else {
                    throw ProgramProblem("\(url) was not fetched: interrupted")
                }
                pause *= 2
            }
        }
        throw ProgramProblem("\(url) cannot be fetched: no attempt of \(attempts) brought it whole")
    }

    // MARK: One attempt

    private enum Outcome {
        case whole
        case cannotResume
        case failed(String, isTransient: Bool)
    }

    /// curl's own configuration file is left out: only the environment counts. ulimit(1p) counts blocks of 512 bytes.
    private static let script = """
        ulimit -f \(sizeLimit / 512)
        exec curl --disable "$@"
        """

    private func transfer(_ url: String, to path: String) async throws(ProgramProblem) -> Outcome {
        let protocols = "=" + Self.protocols(for: url).joined(separator: ",")
        let command = Command(
            "sh",
            [
                "-c", Self.script, "sh", "--fail", "--silent", "--show-error", "--location", "--max-redirs", "8",
                "--proto", protocols, "--proto-redir", protocols, "--globoff", "--connect-timeout", "20",
                "--speed-limit", "1", "--speed-time", String(stall), "--max-time", String(limit), "--max-filesize",
                String(Self.sizeLimit), "--continue-at", "-", "--write-out", "%{http_code}", "--output", path, "--url",
                url,
            ], timeout: .seconds(limit + 60))
        let result: CommandResult
        do {
            result = try await executor.run(command)
        } catch {
            if error.code == .timedOut { return .failed("\(error)", isTransient: true) }
            throw ProgramProblem("\(url) was not fetched", error)
        }
        guard case .exited(let status) = result.status, status != 0 else {
            return result.succeeded ? .whole : .failed("curl was ended by \(result.status)", isTransient: false)
        }
        let code = Int(result.outputText.trimmed) ?? 0
        // 33: no ranges there; 36: bad offset; 416: the range is not there, as when the whole file came already.
        if status == 33 || status == 36 || (status == 22 && code == 416) { return .cannotResume }
        let words = ForeignText.printable(String(result.errorText.trimmed.suffix(600)))
        return .failed(
            words.isEmpty ? "curl ended with \(result.status)" : words,
            isTransient: Self.transient.contains(status)
                || (status == 22 && (code == 408 || code == 429 || (500...599).contains(code))))
    }

    /// curl's statuses that another attempt may mend: names, connections, time-outs, cut transfers (curl(1), EXIT CODES).
    private static let transient: Set<Int32> = [5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92]
}
