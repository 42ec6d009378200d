// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library BCMClient, and nothing else of this package.
let package = Package(
    name: "use-BCMClient",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-BCMClient", dependencies: [.product(name: "BCMClient", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
