// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library RoleMonitor, and nothing else of this package.
let package = Package(
    name: "use-RoleMonitor",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-RoleMonitor", dependencies: [.product(name: "RoleMonitor", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
