// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library PromTargets, and nothing else of this package.
let package = Package(
    name: "use-PromTargets",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-PromTargets", dependencies: [.product(name: "PromTargets", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
