import CommandExecution
import FoundationEssentials

/// The files of this checkout, for tests that compare them with what the programs know.
enum SourceTree {
    /// The checkout's folder.
    static let root: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(4)
        return parts.joined(separator: "/")
    }()

    static func read(_ path: String) throws -> String {
        try String(contentsOf: URL(fileURLWithPath: "\(root)/\(path)"), encoding: .utf8)
    }

    /// What matches an extended regular expression in the files of a folder, each text once.
    static func matches(of expression: String, in folder: String) async throws -> Set<String> {
        let result = try await LocalExecutor().run(
            Command("grep", ["-rhoE", "--include=*.swift", "-e", expression, "--", "\(root)/\(folder)"]))
        return Set(result.outputText.split(separator: "\n").map { String($0) })
    }
}
