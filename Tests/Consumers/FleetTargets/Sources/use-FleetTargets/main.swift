import FleetTargets

/// Writes target files for two nodes, lists them, and says what a timer would start. BCM is not asked.
let fleet = Fleet(
    configuration: {
        var configuration = Fleet.Configuration(headNodes: ["head-a"])
        configuration.targetsDirectory = CommandLine.arguments[1]
        return configuration
    }(), logger: .init(label: "use-FleetTargets"))
for file in try await fleet.write(["dgx-01", "dgx-02"]).files { print(file.fileName, file.action) }
for file in try await fleet.list().files where file.fileName.hasSuffix(".json") { print(file.fileName, file.state) }

do {
    _ = try await fleet.prune()
} catch {
    print(error.code, error.description.contains("ca_path"))
}
print(RemovalLimit.tenth.removals(among: 200))
