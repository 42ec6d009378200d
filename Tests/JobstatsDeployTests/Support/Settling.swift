import CommandExecution

@testable import JobstatsDeploy

/// What is known of this machine for a resource.
func lookHere(_ resource: any Resource) async throws -> Facts {
    try await FactCollector(resource.queries).collect(with: LocalExecutor())
}

/// Looks at a resource on this machine, changes it where it differs, and looks again.
@discardableResult
func settleHere(_ resource: any Resource) async throws -> Assessment {
    let facts = try await lookHere(resource)
    guard resource.assess(facts).state == .differs else { return resource.assess(facts) }
    for command in try resource.changes(from: facts) {
        let result = try await LocalExecutor().run(command)
        guard result.succeeded else { return .blocked("\(result.status): \(result.errorText)", remedy: "") }
    }
    return resource.assess(try await lookHere(resource))
}
