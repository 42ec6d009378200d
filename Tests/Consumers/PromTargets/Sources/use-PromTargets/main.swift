import PromTargets

/// Writes a host's target file twice, reads it back, and prints the scrape job that reads the directory.
let directory = TargetDirectory(path: CommandLine.arguments[1])
let group = try TargetGroup(
    targets: ["dgx-01:9100"], labels: ["job": "node_exporter", "cluster": "slurm", "hostname": "dgx-01"])
print(try directory.write([group], named: "dgx-01"), try directory.write([group], named: "dgx-01"))
print(try directory.names(), try directory.read(named: "dgx-01") == [group])
print(try directory.remove(named: "dgx-01"), try directory.remove(named: "dgx-01"))

let configuration = try ScrapeConfiguration(
    clusterName: "slurm", targetsDirectory: "/srv/targets", jobs: [.init("node_exporter", port: 9100)])
print(configuration.renderedJobs.split(separator: "\n")[0])

do {
    try directory.write([group], named: "../dgx-01")
} catch {
    print(error, error.code == .invalidName)
}
