// swift-tools-version: 6.2
import PackageDescription

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

let package = Package(
    name: "bcm-jobstats",
    products: [
        .library(name: "CommandExecution", targets: ["CommandExecution"]),
        .library(name: "BCMClient", targets: ["BCMClient"]),
        .library(name: "ServiceManager", targets: ["ServiceManager"]),
        .library(name: "PromTargets", targets: ["PromTargets"]),
        .library(name: "RoleMonitor", targets: ["RoleMonitor"]),
        .library(name: "FleetTargets", targets: ["FleetTargets"]),
        .library(name: "JobstatsDeploy", targets: ["JobstatsDeploy"]),
        .executable(name: "bcm-role-monitor", targets: ["bcm-role-monitor"]),
        .executable(name: "prom-targets", targets: ["prom-targets"]),
        .executable(name: "guided-setup", targets: ["guided-setup"]),
        .executable(name: "deploy-role-monitor", targets: ["deploy-role-monitor"]),
        .executable(name: "validate-deployment", targets: ["validate-deployment"]),
        .executable(name: "setup-wizard", targets: ["setup-wizard"]),
        .executable(name: "bcmctl", targets: ["bcmctl"]),
        .executable(name: "capacity-planner", targets: ["capacity-planner"]),
        // Examples that are run against the simulated BCM.
        .executable(name: "nodes-with-role", targets: ["nodes-with-role"]),
        .executable(name: "audit-targets", targets: ["audit-targets"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // `traits: []` keeps full Foundation, and with it ICU, out of every program.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // System libraries.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),

        // Linux calls that Swift's Glibc module does not show.
        .target(name: "CLinux"),

        // Libraries, from the bottom up.
        .target(name: "CommandExecution", dependencies: ["CLinux", subprocess, systemPackage]),
        .target(name: "DurableFiles"),
        .target(name: "PromTargets"),
        .target(name: "ServiceManager", dependencies: ["CLinux", "CommandExecution"]),
        .target(name: "BCMClient", dependencies: ["CCurl", "CLinux", "COpenSSL", "CommandExecution", logging]),
        .target(
            name: "RoleMonitor",
            dependencies: [
                "BCMClient", "CLinux", "CommandExecution", "DurableFiles", "ServiceManager", "PromTargets", logging,
            ]),
        // Asks a Prometheus server over HTTP.
        .target(name: "PrometheusAPI", dependencies: ["CommandExecution"]),
        // Computes what Prometheus needs; depends on nothing.
        .target(name: "CapacityPlanning"),
        .target(
            name: "FleetTargets",
            dependencies: [
                "BCMClient", "CommandExecution", "DurableFiles", "PromTargets", "PrometheusAPI", "RoleMonitor",
                "ServiceManager", logging,
            ]),
        .target(
            name: "JobstatsDeploy",
            dependencies: [
                "BCMClient", "CLinux", "COpenSSL", "CommandExecution", "DurableFiles", "ServiceManager", "PromTargets",
                "RoleMonitor", logging,
                subprocess,
                systemPackage,
            ],
            resources: [.embedInCode("Files")]),

        // Executables: parse arguments, call one library, print.
        .target(
            name: "ExampleSupport", dependencies: ["CommandExecution", argumentParser, logging],
            path: "Sources/Examples/ExampleSupport"),
        .target(
            name: "SetupSupport",
            dependencies: ["CommandExecution", "ExampleSupport", "JobstatsDeploy", argumentParser],
            path: "Sources/Examples/SetupSupport"),
        .executableTarget(
            name: "bcm-role-monitor",
            dependencies: ["RoleMonitor", "ServiceManager", "ExampleSupport", argumentParser, logging],
            path: "Sources/Examples/bcm-role-monitor"),
        .executableTarget(
            name: "prom-targets",
            dependencies: [
                "FleetTargets", "CommandExecution", "RoleMonitor", "ServiceManager", "ExampleSupport", argumentParser,
                logging,
            ],
            path: "Sources/Examples/prom-targets"),
        .executableTarget(
            name: "write-target-files", dependencies: ["PromTargets"], path: "Sources/Examples/write-target-files"),
        .executableTarget(
            name: "service-states", dependencies: ["ServiceManager", "CommandExecution"],
            path: "Sources/Examples/service-states"),
        .executableTarget(
            name: "nodes-with-role", dependencies: ["BCMClient", logging], path: "Sources/Examples/nodes-with-role"),
        .executableTarget(
            name: "audit-targets", dependencies: ["FleetTargets", "RoleMonitor", logging],
            path: "Sources/Examples/audit-targets"),
        .executableTarget(name: "show-plan", dependencies: ["JobstatsDeploy"], path: "Sources/Examples/show-plan"),
        .executableTarget(
            name: "show-rules", dependencies: ["RoleMonitor", "PromTargets"], path: "Sources/Examples/show-rules"),
        .executableTarget(
            name: "guided-setup",
            dependencies: [
                "JobstatsDeploy", "BCMClient", "CommandExecution", "ExampleSupport", "FleetTargets", "PrometheusAPI",
                "RoleMonitor", "SetupSupport", argumentParser, logging,
            ],
            path: "Sources/Examples/guided-setup"),
        .executableTarget(
            name: "deploy-role-monitor",
            dependencies: [
                "JobstatsDeploy", "BCMClient", "CommandExecution", "ExampleSupport", "SetupSupport", argumentParser,
                logging,
            ],
            path: "Sources/Examples/deploy-role-monitor"),
        .executableTarget(
            name: "validate-deployment",
            dependencies: ["JobstatsDeploy", "ExampleSupport", "SetupSupport", argumentParser],
            path: "Sources/Examples/validate-deployment"),
        .executableTarget(
            name: "setup-wizard", dependencies: ["JobstatsDeploy", "ExampleSupport", "SetupSupport", argumentParser],
            path: "Sources/Examples/setup-wizard"),
        .executableTarget(
            name: "bcmctl", dependencies: ["BCMClient", "CommandExecution", "ExampleSupport", argumentParser],
            path: "Sources/Examples/bcmctl"),

        .executableTarget(
            name: "capacity-planner",
            dependencies: [
                "CapacityPlanning", "CommandExecution", "ExampleSupport", "PrometheusAPI", argumentParser,
            ],
            path: "Sources/Examples/capacity-planner"),

        // Goes through a small plan in a folder, for tests on a real terminal.
        .executableTarget(
            name: "walk-stand-in",
            dependencies: ["CommandExecution", "JobstatsDeploy", "ExampleSupport", "SetupSupport"],
            path: "Tests/StandIns/walk-stand-in"),

        // Measures the monitor's own code where no other package reaches it; scripts/bench.sh runs it.
        .target(name: "CHeap", path: "Tests/Benchmarks/CHeap"),
        .executableTarget(
            name: "monitor-benchmark",
            dependencies: [
                "BCMClient", "CHeap", "CommandExecution", "RoleMonitor", "ServiceManager", logging,
            ],
            path: "Tests/Benchmarks/monitor-benchmark"),

        // Unit tests. Tests that need the simulator live in Development/.
        .testTarget(name: "CommandExecutionTests", dependencies: ["CommandExecution", systemPackage]),
        .testTarget(name: "DurableFilesTests", dependencies: ["DurableFiles"]),
        .testTarget(name: "PromTargetsTests", dependencies: ["PromTargets", "CommandExecution"]),
        .testTarget(name: "ServiceManagerTests", dependencies: ["ServiceManager", "CommandExecution"]),
        .testTarget(
            name: "BCMClientTests", dependencies: ["BCMClient", "CommandExecution", logging],
            exclude: ["Peer"]),
        .testTarget(
            name: "RoleMonitorTests",
            dependencies: [
                "RoleMonitor", "BCMClient", "CommandExecution", "PromTargets", "ServiceManager", "bcm-role-monitor",
                logging,
            ]),
        .testTarget(
            name: "ExamplesTests",
            dependencies: [
                "CommandExecution", "ExampleSupport", "write-target-files", "service-states", "show-rules", "show-plan",
                "nodes-with-role", "audit-targets", "bcm-role-monitor", "bcmctl", "capacity-planner",
                "deploy-role-monitor", "guided-setup", "prom-targets", "setup-wizard", "validate-deployment",
            ]),
        .testTarget(name: "PrometheusAPITests", dependencies: ["PrometheusAPI", "CommandExecution"]),
        .testTarget(
            name: "CapacityPlanningTests",
            dependencies: ["CapacityPlanning", "CommandExecution", "PrometheusAPI", "capacity-planner"]),
        .testTarget(
            name: "FleetTargetsTests",
            dependencies: [
                "FleetTargets", "BCMClient", "CommandExecution", "PromTargets", "RoleMonitor", "ServiceManager",
                "prom-targets", logging,
            ]),
        .testTarget(
            name: "JobstatsDeployTests",
            dependencies: [
                "BCMClient", "CommandExecution", "FleetTargets", "JobstatsDeploy", "RoleMonitor", logging,
                systemPackage,
                "PromTargets",
                "ServiceManager", "guided-setup", "deploy-role-monitor", "setup-wizard", "walk-stand-in",
            ],
            exclude: ["Fixtures", "Terminal/on-terminal.py", "Validation/in-chromium.py"]),
    ],
    swiftLanguageModes: [.v6]
)

// The parsers that meet foreign bytes are checked by functions in Tests/ParserTests/Checks. Unit tests run them over the
// corpus in Tests/Corpus; scripts/fuzz.sh runs the same functions under libFuzzer. Most parsers are internal or package,
// so the fuzzer's program must be a target of this package; no other package and no ordinary build sees it, since it is
// there only when JOBSTATS_FUZZ is set. It replaces all tests then: two targets cannot hold the same files.
let parserLibraries: [Target.Dependency] = [
    "BCMClient", "CommandExecution", "JobstatsDeploy", "PromTargets", "RoleMonitor", "ServiceManager",
]
if Context.environment["JOBSTATS_FUZZ"] != nil {
    package.targets.removeAll { $0.type == .test }
    package.targets += [
        .systemLibrary(name: "LibFuzzer", path: "Tests/LibFuzzer"),
        .executableTarget(
            name: "fuzz-parsers", dependencies: parserLibraries + ["LibFuzzer"], path: "Tests/ParserTests",
            exclude: ["Suites"], sources: ["Checks", "Fuzzer"]),
    ]
} else {
    package.targets.append(
        .testTarget(name: "ParserTests", dependencies: parserLibraries, exclude: ["Fuzzer"]))
}

// Every target of this package is held to the same language features.
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
