import CommandExecution
import JobstatsDeploy

/// A line that a file holds.
struct LineResource: Resource {
    let path: String
    let line: String

    var summary: String { "line in \(path): \(line)" }
    var queries: [Query] { [.content(path)] }

    func assess(_ facts: Facts) -> Assessment {
        guard let content = facts.content(path) else { return .unknown("what stands in \(path)") }
        let lines = String(decoding: content, as: UTF8.self).split(separator: "\n")
        return lines.contains(Substring(line)) ? .inPlace() : .differs(["the line is missing"])
    }

    func changes(from facts: Facts) throws(ResourceError) -> [Command] {
        [Command("tee", ["-a", path], input: Array("\(line)\n".utf8), timeout: .seconds(10))]
    }

    var instructions: Instructions {
        let words = [line, path].map { ShellQuoting.quote($0) }
        return Instructions(
            commands: ["echo \(words[0]) >> \(words[1])"], verification: ["grep -Fx \(words[0]) \(words[1])"])
    }
}
