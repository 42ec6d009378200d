import Glibc
import PromTargets

/// Writes the target file of each host that is named, and prints the scrape job that reads the directory.
///
///     write-target-files /srv/targets dgx-01 dgx-02
///
/// Exit status: 0 done, 1 a file could not be written, 2 usage.
func writeTargetFiles(in path: String, of hosts: [String]) throws(PromTargetsError) {
    let directory = TargetDirectory(path: path)
    for host in hosts {
        let address = try TargetAddress(host: host, port: 9100)
        let group = try TargetGroup(
            targets: [address.description],
            labels: ["job": "node_exporter", "cluster": "slurm", "hostname": host])
        // Content that is there already causes no write.
        print("\(try directory.filePath(named: host)):", try directory.write([group], named: host))
    }
    let configuration = try ScrapeConfiguration(
        clusterName: "slurm", targetsDirectory: path, jobs: [.init("node_exporter", port: 9100)])
    print(configuration.renderedJobs, terminator: "")
}

guard CommandLine.arguments.count > 2 else {
    print("usage: write-target-files DIRECTORY HOST ...")
    exit(2)
}
do {
    try writeTargetFiles(in: CommandLine.arguments[1], of: Array(CommandLine.arguments.dropFirst(2)))
} catch {
    print(error)
    exit(1)
}
