import Glibc

/// A program that does to real hosts what BCM does when its settings change; the lab has one.
///
/// It is called with what happened as arguments: `wlm INSTANCE KEY VALUE` for each setting of Slurm that a commit changed
/// (`cgroups.KEY` for one of its control groups), `softwareimage FOLDER SOURCE` for a cloned image, `imageupdate NODE`,
/// `grabimage NODE IMAGE`.
public struct CommitHook: Sendable, Hashable {
    /// The environment variable that names the program; empty for none.
    public static let variable = "BCM_SIMULATOR_HOOK"

    /// The program.
    public let program: String

    /// Names a program.
    public init(program: String) { self.program = program }

    /// The program that the environment names, else `hook` in the simulated cluster's folder; nil when there is none.
    public init?(of store: StateStore) {
        if let named = getenv(Self.variable).map({ String(cString: $0) }) {
            guard !named.isEmpty else { return nil }
            program = named
        } else {
            program = store.directory + "/hook"
            guard access(program, X_OK) == 0 else { return nil }
        }
    }

    /// Calls it, for five minutes at most; its output is part of the error when it fails.
    func call(_ arguments: [String]) throws(CmshError) {
        let result = Program.run(["timeout", "--kill-after=5", "300", program] + arguments)
        guard result.status == 0 else {
            let event = arguments.joined(separator: " ")
            throw CmshError("\(event): \(program): status \(result.status): \(result.output)")
        }
    }
}

extension WorkloadManager {
    /// The settings in which another state of the same instance differs, in the order of their names.
    func changes(since earlier: WorkloadManager?) -> [(key: String, value: String)] {
        func difference(_ now: [String: String], _ before: [String: String], _ prefix: String) -> [(String, String)] {
            now.filter { before[$0.key] != $0.value }.sorted { $0.key < $1.key }.map { (prefix + $0.key, $0.value) }
        }
        return difference(settings, earlier?.settings ?? [:], "")
            + difference(cgroups, earlier?.cgroups ?? [:], "cgroups.")
    }
}
