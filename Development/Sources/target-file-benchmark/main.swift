import Glibc
import PromTargets

// What target files cost: as many are written as there are nodes. Started again, it writes the same without a change; whoever
// starts it can look at the folder in between.
//
// usage: target-file-benchmark DIRECTORY COUNT
// Prints milliseconds of wall time for one file, and how many were written by the writer's own word.

func milliseconds(_ work: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    return try clock.measure(work) / .milliseconds(1)
}

func thousandths(_ value: Double) -> String {
    let whole = Int((value * 1000).rounded())
    return "\(whole / 1000).\(String(whole % 1000 + 1000).dropFirst())"
}

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[2]), count > 0 else {
    print("usage: target-file-benchmark DIRECTORY COUNT")
    exit(2)
}
do {
    let directory = TargetDirectory(path: arguments[1])
    let ports = [("node_exporter", 9100), ("cgroup_exporter", 9306), ("nvidia_gpu_exporter", 9445)]
    var files: [(name: String, groups: [TargetGroup])] = []
    for number in 1...count {
        let name = "node\(number)"
        let groups = try ports.map { job, port in
            try TargetGroup(
                targets: [TargetAddress(host: name, port: port).description],
                labels: ["job": job, "cluster": "slurm", "hostname": name])
        }
        files.append((name, groups))
    }
    var written = 0
    let each =
        try milliseconds {
            for file in files where try directory.write(file.groups, named: file.name) != .unchanged { written += 1 }
        } / Double(count)
    print(thousandths(each), written)
} catch {
    print(error)
    exit(1)
}
