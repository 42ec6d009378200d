/// What a plan amounts to, as one number: progress names the plan it belongs to by it.
package enum PlanDigest {
    /// SHA-256 over all steps in words, hosts included.
    package static func hex(_ plan: Plan) -> String {
        var text = ""
        for section in plan.sections {
            text += "\(section.number) \(section.title)\n"
            for step in section.steps {
                text += "\(step.id)\t\(step.title)\n"
                if let resource = step.commonResource {
                    text += "\t\(resource.summary)\n\t" + step.hosts.map(\.name).joined(separator: " ") + "\n"
                } else {
                    for host in step.hosts { text += "\t\(host)\t\(step.resource(on: host)?.summary ?? "")\n" }
                }
            }
        }
        return SHA256Digest.hex(Array(text.utf8))
    }
}
