import CommandExecution

/// A link that makes BCM's generic prolog or epilog run a script on shared storage. It is made only where the script is
/// seen, since a hook that cannot be run may drain the node.
struct JobHook: Resource {
    private let link: LinkResource
    /// Whether the script must be seen; shared storage is not mounted in an image.
    private let looks: Bool

    init(_ path: String, runs script: String) { self.init(LinkResource(path, to: script), looks: true) }

    private init(_ link: LinkResource, looks: Bool) {
        self.link = link
        self.looks = looks
    }

    private var folder: String { String(link.path.prefix(upTo: link.path.lastIndex(of: "/") ?? link.path.endIndex)) }
    private var look: Command { Command("test", ["-x", link.target], timeout: .seconds(20)) }

    var summary: String { link.summary }
    var queries: [Query] { link.queries + (looks ? [.command(look)] : []) }

    var needsFreshFacts: Bool { false }

    func assess(_ facts: Facts) -> Assessment {
        guard looks else { return link.assess(facts) }
        guard let seen = facts.result(look) else { return .unknown(link.target) }
        guard seen.succeeded else {
            return .blocked(
                "\(link.target) is not seen here, or cannot be run",
                remedy: "is the shared storage mounted? look at: findmnt -T \(link.target)")
        }
        return link.assess(facts)
    }

    func changes(from facts: Facts) -> [Command] {
        [link.change(makesFolder: true)]
    }

    var imageForm: (any Resource)? { JobHook(link, looks: false) }

    func removal() -> [Command]? { link.removal() }
    var absence: (any Resource)? { link.absence }

    var exportActions: [ExportAction] {
        let isThere = "[ -L \"$1\" ] && [ \"$(readlink -- \"$1\")\" = \"$2\" ]"
        return [
            .command(
                ExportCommand(
                    summary, unless: Command("sh", ["-c", isThere, "sh", link.path, link.target]),
                    [look] + changes(from: Facts())))
        ]
    }

    var instructions: Instructions {
        var all = link.instructions
        all.commands.insert("mkdir -p " + ShellQuoting.quote(folder), at: 0)
        all.verification.append("test -x " + ShellQuoting.quote(link.target))
        return all
    }
}

extension JobHook: BoundedResource {
    package var effects: Effects { link.effects }
}
