import CommandExecution
import Glibc

/// One commit of a git repository, fetched into a work folder. Git itself verifies that what it fetched has this id.
struct GitRevision: Sendable {
    let executor: any CommandExecutor
    let url: String
    let revision: String

    /// The commit alone where the server gives it, otherwise branches and tags with their history.
    private static let fetchScript = """
        set -eu
        git init --quiet --template= -- "$1"
        cd -- "$1"
        git fetch --quiet --depth 1 --no-tags -- "$2" "$3" 2>first || {
            git fetch --quiet --no-tags -- "$2" '+refs/heads/*:refs/heads/fetched/*' '+refs/tags/*:refs/tags/*' || {
                cat first >&2
                exit 1
            }
        }
        found=$(git rev-parse --verify --quiet "$3^{commit}" || :)
        [ "$found" = "$3" ] || { echo "no branch and no tag of it holds the commit $3" >&2; exit 1; }
        """

    private static let buildScript = """
        set -eu
        git -C "$1" -c core.hooksPath=/dev/null -c advice.detachedHead=false checkout --quiet --detach "$2"
        cd -- "$1"
        ulimit -f \(Download.sizeLimit / 512)
        exec go build -trimpath -buildvcs=false -modcacherw -ldflags=-buildid= -o "$3" "./$4"
        """

    /// The tree of the commit as a tar archive, at a path in the work folder.
    func archive(in folder: String) async throws(ProgramProblem) -> String {
        let repository = try await fetch(folder)
        let output = "\(folder)/tree.tar"
        try await run(
            "the tree of \(revision) cannot be written",
            Command(
                "git", ["-C", repository, "archive", "--format=tar", "--output=\(output)", revision],
                timeout: .seconds(120)))
        return output
    }

    /// Builds a Go program, for another processor where it needs no C.
    ///
    /// Go fetches the modules that the repository's go.sum names by their sums from a module proxy and from nowhere else.
    func build(
        _ directory: String, usesC: Bool, for architecture: ArtifactSource.Architecture, in folder: String
    ) async throws(ProgramProblem) -> String {
        let target = architecture == .arm ? "arm64" : "amd64"
        try await checkCompiler(usesC: usesC)
        let repository = try await fetch(folder)
        let output = "\(folder)/program"
        let proxy = getenv("GOPROXY").map { String(cString: $0) } ?? "https://proxy.golang.org"
        let environment = [
            "HOME": folder, "GOPATH": "\(folder)/go", "GOCACHE": "\(folder)/go-cache", "GOENV": "off", "GOWORK": "off",
            "GOFLAGS": "", "GOTOOLCHAIN": "local", "GOVCS": "*:off", "GOPROXY": proxy, "GOOS": "linux",
            "GOARCH": target, "CGO_ENABLED": usesC ? "1" : "0",
        ]
        try await run(
            "\(url) at \(revision) cannot be built",
            Command(
                "sh", ["-c", Self.buildScript, "sh", repository, revision, output, directory],
                environment: environment, timeout: .seconds(1200)))
        return output
    }

    private func checkCompiler(usesC: Bool) async throws(ProgramProblem) {
        var needed = ["git", "go"]
        if usesC { needed.append("cc") }
        let script = #"for name; do command -v "$name" >/dev/null || printf '%s ' "$name"; done"#
        let missing: String
        do {
            missing = try await executor.run(Command("sh", ["-c", script, "sh"] + needed)).outputText.trimmed
        } catch {
            throw ProgramProblem("\(url) cannot be built", error)
        }
        guard missing.isEmpty else {
            throw ProgramProblem(
                "it is built here from \(url), and this machine has no \(missing) (packages golang-go 1.21 or later, "
                    + "git, gcc): install these, or build it elsewhere and give path and sha256")
        }
    }

    private func fetch(_ folder: String) async throws(ProgramProblem) -> String {
        let repository = "\(folder)/repository"
        let protocols = url.hasPrefix("/") ? ["file"] : Download.protocols(for: url)
        try await run(
            "\(url) cannot be fetched",
            Command(
                "sh", ["-c", Self.fetchScript, "sh", repository, url, revision],
                environment: [
                    "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true",
                    "GIT_ALLOW_PROTOCOL": protocols.joined(separator: ":"),
                    "GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60", "LC_ALL": "C",
                ], timeout: .seconds(900)))
        return repository
    }

    private func run(_ failure: String, _ command: Command) async throws(ProgramProblem) {
        do {
            let result = try await executor.run(command)
            guard result.succeeded else { throw ProgramProblem(failure, result) }
        } catch let error as CommandError {
            throw ProgramProblem(failure, error)
        } catch let problem as ProgramProblem {
            throw problem
        } catch {
            throw ProgramProblem("\(failure): \(error)")
        }
    }
}
