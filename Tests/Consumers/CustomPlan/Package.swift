// swift-tools-version: 6.2
import PackageDescription

// A resource, a section and a way to reach hosts of one's own, run by the library's runner.
let package = Package(
    name: "use-CustomPlan",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-CustomPlan",
            dependencies: [
                .product(name: "CommandExecution", package: "bcm-jobstats"),
                .product(name: "JobstatsDeploy", package: "bcm-jobstats"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
