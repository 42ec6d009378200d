// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library FleetTargets, and nothing else of this package.
let package = Package(
    name: "use-FleetTargets",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-FleetTargets", dependencies: [.product(name: "FleetTargets", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
