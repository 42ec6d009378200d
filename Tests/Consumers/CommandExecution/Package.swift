// swift-tools-version: 6.2
import PackageDescription

// What another tool has to write to use the library CommandExecution, and nothing else of this package.
let package = Package(
    name: "use-CommandExecution",
    dependencies: [.package(name: "bcm-jobstats", path: "../../..")],
    targets: [
        .executableTarget(
            name: "use-CommandExecution", dependencies: [.product(name: "CommandExecution", package: "bcm-jobstats")])
    ],
    swiftLanguageModes: [.v6]
)
