// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library ServiceManager, and nothing else of this package.
let package = Package(
    name: "use-ServiceManager",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-ServiceManager", dependencies: [.product(name: "ServiceManager", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
