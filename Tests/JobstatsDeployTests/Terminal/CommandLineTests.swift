import CommandExecution
import FoundationEssentials
import Testing

@testable import JobstatsDeploy

/// The programs' command lines, as typed, and the pages that describe them.
@Suite(.enabled(if: BuiltPrograms.areThere, "needs the programs that are built with these tests"))
struct CommandLineTests {
    private func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> CommandResult
    {
        try await LocalExecutor().run(
            Command(
                "\(try #require(BuiltPrograms.folder))/\(program)", arguments,
                environment: ["COLUMNS": "80"].merging(environment) { $1 }, timeout: .seconds(60)))
    }

    @Test(arguments: [["--help"], ["-h"], ["help"], ["run", "--help"]])
    func helpShowsTheOptionsOfWhatIsUsuallyDoneInGroups(_ arguments: [String]) async throws {
        let result = try await run("guided-setup", arguments)
        #expect(result.succeeded)
        let text = result.outputText
        for word in ["--config", "--dry-run", "--allow", "--section", "--bundle", "guided-setup bundle --output"] {
            #expect(text.contains(word), "\(word)")
        }
        for title in ["WHAT TO DO:", "QUESTIONS AND CONSENTS:", "WITHOUT INTERNET:", "HOW:"] {
            #expect(text.contains("\n\(title)\n"), "\(title)")
        }
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        #expect(text.split(separator: "\n").count <= 90)
    }

    @Test(arguments: ["guided-setup", "deploy-role-monitor"])
    func helpListsEveryConsent(_ program: String) async throws {
        let text = try await run(program, ["--help"]).outputText
        for consent in Consent.all {
            let name = consent.name
            let family = ["adopt-", "skip-"].first { name.hasPrefix($0) }
            #expect(text.contains(family.map { String(name.dropFirst($0.count)) } ?? name), "\(name)")
        }
    }

    @Test func theHintAfterAMistakeIsWhatWasTyped() async throws {
        let result = try await run("guided-setup", ["--nothing"])
        #expect(result.status == .exited(2))
        #expect(result.errorText.contains("See 'guided-setup --help' for more information."), "\(result.errorText)")
    }

    /// The words that bash offers after a line, through the completions as they are installed.
    @Test(arguments: [
        ("guided-setup --dry", ["--dry-run"]), ("guided-setup --check --sec", ["--section"]),
        ("guided-setup bundle --arch", ["--architecture"]), ("guided-setup bundle --dry", []),
        ("guided-setup run --dry", ["--dry-run"]), ("guided-setup bun", ["bundle"]),
    ])
    func bashCompletesTheOptionsOfWhatIsUsuallyDone(line: String, words: [String]) async throws {
        let folder = TemporaryFolder()
        let script = try await run("guided-setup", ["--generate-completion-script", "bash"])
        let file = folder.write("guided-setup", script.outputText)
        let ask = """
            . "$1"
            COMP_LINE=$2 COMP_POINT=${#2}
            read -ra COMP_WORDS <<<"$2"
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            function=$(complete -p guided-setup | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
            "$function" guided-setup "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try await LocalExecutor().run(
            Command("bash", ["-c", ask, "bash", file, line], timeout: .seconds(60)))
        #expect(result.outputText.split(separator: "\n").map(String.init) == words, "\(result.errorText)")
    }

    /// A name for the value that says no more than the option's own name leaves the reader to guess.
    @Test(arguments: [
        "bcm-role-monitor", "bcmctl", "deploy-role-monitor", "guided-setup", "prom-targets", "setup-wizard",
    ])
    func valuesHaveNamesThatSayWhatTheyAre(_ program: String) async throws {
        guard FileManager.default.isExecutableFile(atPath: "\(try #require(BuiltPrograms.folder))/\(program)") else {
            return
        }
        let result = try await run(program, ["--experimental-dump-help"])
        let dump = try JSONDecoder().decode(Dump.self, from: Data(result.outputText.utf8))
        let allowed = ["architecture", "type", "section"]
        func look(_ node: Dump.Node) {
            for argument in node.arguments ?? [] where argument.kind == "option" {
                let names = (argument.names ?? []).map(\.name)
                guard let value = argument.valueName, names.contains(value), !allowed.contains(value) else { continue }
                Issue.record("\(program) \(node.commandName): --\(value) <\(value)>")
            }
            for node in node.subcommands ?? [] { look(node) }
        }
        look(dump.command)
    }

    @Test func helpOfTheOtherCommandIsItsOwn() async throws {
        let text = try await run("guided-setup", ["bundle", "--help"]).outputText
        #expect(text.contains("--architecture") && !text.contains("--resume"))
    }

    @Test(arguments: [["--allow", "foo"], ["--allow", "slurm-restart,slurm_restart"], ["--allow", ","]])
    func consentThatDoesNotExistIsAUsageError(_ arguments: [String]) async throws {
        let folder = TemporaryFolder()
        let file = folder.write("config.json", #"{"systems": {"dgx_nodes": ["dgx-01"]}}"#)
        let result = try await run(
            "guided-setup",
            ["--config", file, "--dry-run", "--section", "4", "--state-dir", "\(folder.path)/state"] + arguments)
        #expect(result.status == .exited(2))
        #expect(result.outputText.isEmpty && result.errorText.contains("--allow"))
        #expect(folder.names == ["config.json"])
    }

    @Test(arguments: [["--dgx-nodes", "dgx-01"], ["--config", "/no/such"], ["--image", "dgx"]])
    func revocationTakesNothingThatNamesNodes(_ arguments: [String]) async throws {
        let result = try await run("deploy-role-monitor", ["--revoke", "--yes"] + arguments)
        #expect(result.status == .exited(2) && result.errorText.contains("all monitors share"))
    }

    @Test func configurationOfSSHThatIsMissingIsAUsageError() async throws {
        let folder = TemporaryFolder()
        let result = try await run(
            "guided-setup", ["--dry-run", "--ssh-config", "\(folder.path)/nope", "--state-dir", "\(folder.path)/state"])
        #expect(result.status == .exited(2) && result.errorText.contains("--ssh-config"), "\(result.errorText)")
        #expect(folder.names.isEmpty)
    }

    // MARK: Documentation

    private struct Dump: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }
        struct Argument: Decodable {
            let names: [Name]?
            let kind: String
            let valueName: String?
        }
        struct Node: Decodable {
            let commandName: String
            let arguments: [Argument]?
            let subcommands: [Node]?
        }
        let command: Node
    }

    private func options(_ node: Dump.Node) -> Set<String> {
        Set((node.arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }.map { "--\($0.name)" })
    }

    @Test(arguments: ["guided-setup", "deploy-role-monitor", "setup-wizard"])
    func everyOptionIsDocumented(_ program: String) async throws {
        let result = try await run(program, ["--experimental-dump-help"])
        let dump = try JSONDecoder().decode(Dump.self, from: Data(result.outputText.utf8))
        let guide = try SourceTree.read("docs/guided-setup.md")
        let bundles = try SourceTree.read("docs/artifacts.md")
        var wanted = options(dump.command)
        for node in dump.command.subcommands ?? [] where node.commandName != "help" {
            if node.commandName == "bundle" {
                for option in options(node) where !Self.isNamed(option, in: guide + bundles) {
                    Issue.record("\(option) of bundle is missing in docs/artifacts.md")
                }
            } else {
                wanted.formUnion(options(node))
            }
        }
        #expect(wanted.count >= 3)
        for option in wanted.sorted() where !Self.isNamed(option, in: guide) {
            Issue.record("\(option) of \(program) is missing in docs/guided-setup.md")
        }
    }

    /// Whether the option stands there, and not only a longer one.
    private static func isNamed(_ option: String, in text: String) -> Bool {
        text.split(separator: option, omittingEmptySubsequences: false).dropFirst().contains { rest in
            rest.first.map { !($0.isLetter || $0.isNumber || $0 == "-") } ?? true
        }
    }
}

struct DocumentedKeyTests {
    @Test func everyConfigurationKeyIsDocumented() throws {
        let guide = try SourceTree.read("docs/guided-setup.md")
        let keys =
            Setting.all.map(\.key).filter { $0 != "systems" } + HostList.all.map(\.keyPath)
            + MonitorTimes.keys.map(\.name)
        for key in keys where !guide.contains("`\(key)`") {
            Issue.record("\(key) is missing in docs/guided-setup.md")
        }
    }

    @Test func everyConsentIsDocumented() throws {
        let guide = try SourceTree.read("docs/guided-setup.md")
        for consent in Consent.all {
            let name = consent.name
            let family = ["adopt-", "skip-"].first { name.hasPrefix($0) }
            let word = family.map { "`\(name.dropFirst($0.count))`" } ?? "--allow \(name)`"
            #expect(guide.contains(word), "\(name) is missing in docs/guided-setup.md")
        }
    }

    @Test func everyProgramIsDocumented() throws {
        let page = try SourceTree.read("docs/artifacts.md")
        for name in ArtifactSource.Name.all { #expect(page.contains("`\(name)`"), "\(name)") }
    }
}

/// The programs that are built with these tests.
enum BuiltPrograms {
    /// Their folder.
    static let folder: String? = {
        // Next to the test program; under a sanitizer, too, which hides it in the memory maps.
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let end = program.lastIndex(of: "/")
        else { return nil }
        return String(program[..<end])
    }()

    static var areThere: Bool {
        guard let folder else { return false }
        return FileManager.default.isExecutableFile(atPath: "\(folder)/guided-setup")
    }
}
