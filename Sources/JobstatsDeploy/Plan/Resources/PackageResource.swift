public import CommandExecution

/// A package of the distribution (Debian and Ubuntu) that is installed, in any version.
public struct PackageResource: Resource {
    /// The package's name.
    public var name: String

    /// Creates the resource.
    public init(_ name: String) { self.name = name }

    public var summary: String { "package \(name)" }
    public var queries: [Query] { [.package(name)] }

    public func assess(_ facts: Facts) -> Assessment {
        guard let version = facts.package(name) else { return .unknown("package \(name)") }
        guard let version else { return .differs(["package \(name) is not installed"]) }
        return .inPlace("\(name) \(version)")
    }

    public func changes(from facts: Facts) -> [Command] {
        [
            Command(
                "apt-get",
                ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60", "--", name],
                environment: ["DEBIAN_FRONTEND": "noninteractive"], timeout: .seconds(600))
        ]
    }

    public var instructions: Instructions {
        Instructions(
            commands: ["apt-get install --no-install-recommends " + ShellQuoting.quote(name)],
            verification: ["dpkg-query -W " + ShellQuoting.quote(name)])
    }
}
