import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

private let hasApt = ["/usr/bin/apt-get", "/usr/bin/dpkg-deb"].allSatisfy { (name: String) in access(name, X_OK) == 0 }

/// Packages and what they need, fetched by the real apt-get from a repository of the test's own.
@Suite(.enabled(if: hasApt, "needs apt-get and dpkg-deb"))
struct PackageDownloadTests {
    private let folder = TemporaryFolder()

    /// Runs commands with apt's settings for the test's repository alone.
    private struct WithRepository: CommandExecutor {
        let configuration: String
        func run(_ command: Command) async throws(CommandError) -> CommandResult {
            var command = command
            command.environment["APT_CONFIG"] = configuration
            return try await LocalExecutor().run(command)
        }
    }

    private func shell(_ text: String) async throws {
        let result = try await executor.run(Command("sh", ["-ec", text, "sh", folder.path], timeout: .seconds(60)))
        try #require(result.succeeded, "\(result.errorText)")
    }

    private var executor: WithRepository { WithRepository(configuration: "\(folder.path)/apt.conf") }

    /// A repository in which `one` and `two` need `base`, and a file of a package that needs it, too.
    private func makeRepository() async throws {
        folder.write(
            "apt.conf",
            """
            Dir::State::Lists "\(folder.path)/lists"; Dir::Etc::SourceList "\(folder.path)/sources.list";
            Dir::Etc::SourceParts "-"; Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache ""; APT::Sandbox::User "root";

            """)
        folder.write("sources.list", "deb [trusted=yes] copy:\(folder.path)/repository ./\n")
        try await shell(
            """
            cd "$1" && mkdir -p repository lists/partial
            make() {
                mkdir -p "tree/DEBIAN"
                printf 'Package: %s\\nVersion: 1:1.0\\nArchitecture: all\\nMaintainer: a <a@b>\\nDescription: x\\n%s' "$1" "$2" \
                    >tree/DEBIAN/control
                dpkg-deb --build --root-owner-group -Znone tree "$3" >&2
            }
            make base '' repository/base.deb
            for name in one two; do make "$name" 'Depends: base
            ' "repository/$name.deb"; done
            make own 'Depends: base
            ' own.deb
            for file in repository/*.deb; do
                dpkg-deb --field "$file"
                printf 'Filename: ./%s\\nSize: %s\\nSHA256: %s\\n\\n' "${file##*/}" "$(stat -c %s "$file")" \
                    "$(sha256sum <"$file" | cut -c 1-64)"
            done >repository/Packages
            apt-get update -qq
            """)
    }

    @Test func everyPackageIsNamedWithAllThatItNeedsAlsoWhatAnotherOneBroughtAlready() async throws {
        try await makeRepository()
        let found = try await PackageDownload(executor: executor, folder: "\(folder.path)/packages")
            .fetch(["one", "two"], files: ["own": "\(folder.path)/own.deb"])
        #expect(
            found.closures.mapValues { $0.sorted() } == [
                "one": ["base", "one"], "two": ["base", "two"], "own": ["base", "own"],
            ])
        #expect(Set(found.files.keys) == ["base", "one", "two", "own"])
    }
}
