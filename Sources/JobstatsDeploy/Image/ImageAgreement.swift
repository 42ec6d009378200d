/// Whether a software image holds what is deployed on the nodes that boot from it.
struct ImageAgreement: Sendable, Hashable {
    /// BCM's name of the image.
    var image: String
    /// The nodes that boot from it.
    var nodes: [String]
    /// How many steps the image has in place.
    var inPlace: Int
    /// The titles of steps that it lacks.
    var missing: [String]
    /// Why it could not be looked at; nil when it could.
    var problem: String?
    /// Nodes that had the deployment and lost it when they booted from this image.
    var lostBy: [String] = []

    init(image: String, nodes: [String], report: RunReport) {
        self.init(image: image, nodes: nodes)
        inPlace = report.count(.inPlace)
        missing = report.results.filter { $0.outcome == .wouldChange }.map(\.title)
        let failed = report.results.first { $0.outcome == .failed || $0.outcome == .notBegun }
        problem = failed.map { "\($0.title): \($0.detail)" } ?? report.stopReason
    }

    init(image: String, nodes: [String], problem: String) {
        self.init(image: image, nodes: nodes)
        self.problem = problem
    }

    private init(image: String, nodes: [String]) {
        self.image = image
        self.nodes = nodes
        inPlace = 0
        missing = []
    }

    /// Whether the nodes keep the deployment over their next boot.
    var holdsEverything: Bool { problem == nil && missing.isEmpty }

    /// A sentence or two for people.
    var words: String {
        let hosts = Words.hosts(nodes)
        if holdsEverything { return "The image \(image) holds all of this: \(hosts) keep it over a boot." }
        let remedy = "guided-setup --image \(image), or capture it (see the end of the document)"
        if let problem {
            return "Whether the image \(image) of \(hosts) holds this could not be seen: \(problem). If it does not, "
                + "the work is lost at the next boot."
        }
        let lost =
            lostBy.isEmpty
            ? "what was deployed on \(hosts) is lost at the next boot"
            : "what was deployed on \(Words.hosts(lostBy)) was lost at the last boot"
        let total = Words.count(missing.count + inPlace, "step")
        return "The image \(image) lacks \(missing.count) of \(total), so \(lost). To mend it: \(remedy)."
    }

    /// The hosts of a check that lack most of what an earlier run had put there and an image can hold.
    ///
    /// - Parameters:
    ///   - report: of a check.
    ///   - steps: the ids of steps that belong into an image.
    ///   - progress: of the earlier run.
    static func hostsThatLost(_ report: RunReport, steps: Set<String>, progress: Progress) -> Set<String> {
        var had: [String: Int] = [:], lost: [String: Int] = [:]
        for result in report.results where steps.contains(result.step) {
            let before = progress.hosts[result.host.name]?[result.step].flatMap { StepOutcome.saved($0.outcome) }
            guard before == .changed || before == .inPlace else { continue }
            had[result.host.name, default: 0] += 1
            if result.outcome == .wouldChange { lost[result.host.name, default: 0] += 1 }
        }
        return Set(lost.filter { $0.value * 2 > had[$0.key] ?? 0 }.map(\.key))
    }
}
