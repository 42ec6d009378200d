// swift-tools-version: 6.2
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let bcmClient = Target.Dependency.product(name: "BCMClient", package: "bcm-jobstats")
let commandExecution = Target.Dependency.product(name: "CommandExecution", package: "bcm-jobstats")
let fleetTargets = Target.Dependency.product(name: "FleetTargets", package: "bcm-jobstats")
let promTargets = Target.Dependency.product(name: "PromTargets", package: "bcm-jobstats")
let roleMonitor = Target.Dependency.product(name: "RoleMonitor", package: "bcm-jobstats")
let serviceManager = Target.Dependency.product(name: "ServiceManager", package: "bcm-jobstats")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

// Programs for tests, demonstration and training. Nothing here reaches those who import the libraries.
let package = Package(
    name: "bcm-jobstats-development",
    products: [
        .library(name: "BCMSimulator", targets: ["BCMSimulator"]),
        .executable(name: "bcm-simulator", targets: ["bcm-simulator"]),
        .executable(name: "simulated-cmsh", targets: ["simulated-cmsh"]),
        .executable(name: "exporter-standin", targets: ["exporter-standin"]),
        .executable(name: "check-benchmark", targets: ["check-benchmark"]),
        .executable(name: "target-file-benchmark", targets: ["target-file-benchmark"]),
    ],
    dependencies: [
        .package(name: "bcm-jobstats", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        // The simulated cluster: its state, its cmsh, its certificates. Needs no network library.
        .target(name: "ClusterModel"),
        // The REST service over mutual TLS.
        .target(name: "BCMSimulator", dependencies: ["ClusterModel", logging] + nio),

        .executableTarget(
            name: "bcm-simulator", dependencies: ["BCMSimulator", "ClusterModel", argumentParser, logging]),
        .executableTarget(name: "simulated-cmsh", dependencies: ["ClusterModel"]),
        .executableTarget(name: "exporter-standin"),
        // Measured by scripts/bench.sh beside the floors and peers in bench/.
        .executableTarget(name: "check-benchmark", dependencies: [bcmClient, serviceManager, logging]),
        .executableTarget(name: "target-file-benchmark", dependencies: [promTargets]),

        // Simulated clusters for tests, with curl to ask them.
        .target(
            name: "ClusterTestSupport", dependencies: ["BCMSimulator", "ClusterModel", commandExecution, logging],
            path: "Tests/ClusterTestSupport"),
        .testTarget(
            name: "BCMSimulatorTests",
            dependencies: [
                "BCMSimulator", "ClusterModel", "ClusterTestSupport", "bcm-simulator", "simulated-cmsh",
                "exporter-standin", commandExecution,
            ]),
        .testTarget(
            name: "BCMIntegrationTests",
            dependencies: [
                "BCMSimulator", "ClusterModel", "ClusterTestSupport", "simulated-cmsh", bcmClient, commandExecution,
                fleetTargets, logging, promTargets, roleMonitor, .product(name: "bcmctl", package: "bcm-jobstats"),
                .product(name: "nodes-with-role", package: "bcm-jobstats"),
                .product(name: "audit-targets", package: "bcm-jobstats"),
                .product(name: "guided-setup", package: "bcm-jobstats"),
            ]),
        // Components against faults; scripts/faults.sh runs it and prints the matrix.
        .testTarget(
            name: "FaultCampaign",
            dependencies: [
                "ClusterModel", "ClusterTestSupport", "bcm-simulator", commandExecution,
                .product(name: "bcm-role-monitor", package: "bcm-jobstats"),
            ],
            exclude: ["campaign.txt", "clock.c"]),
        // On the lab, a cluster of real hosts; scripts/test.sh runs them.
        .testTarget(name: "LabTests", dependencies: [bcmClient, commandExecution]),
    ],
    swiftLanguageModes: [.v6]
)

// Every target of this package is held to the same language features as the libraries.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    // Set by scripts/test.sh. Not always on: a newer compiler's new warnings must not stop those who only want to build.
    if Context.environment["JOBSTATS_WARNINGS"] == "error" {
        target.swiftSettings?.append(.treatAllWarnings(as: .error))
    }
}
