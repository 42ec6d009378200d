// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library JobstatsDeploy, and nothing else of this package.
let package = Package(
    name: "use-JobstatsDeploy",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-JobstatsDeploy", dependencies: [.product(name: "JobstatsDeploy", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
