/// Which exporter the program stands in for.
enum Kind: String {
    case cgroup, gpu

    /// The name of the program that it stands in for.
    var program: String { self == .cgroup ? "cgroup_exporter" : "nvidia_gpu_prometheus_exporter" }
    var usualPort: Int { self == .cgroup ? 9306 : 9445 }
}

/// The command line: flags of the real exporters, with one dash or two, and a few of the stand-in's own.
struct StandInOptions {
    var kind: Kind
    var address = ""
    var port: Int
    var statusDirectory = "/run/gpustat"
    var controlGroupRoot = "/sys/fs/cgroup"
    var deviceCount = 8
    var wantsHelp = false

    struct Refusal: Error { let text: String }

    static let help = """
        exporter-standin: stands in for a jobstats exporter where no GPU and no Slurm is. Its figures are made up.

        usage: exporter-standin --kind cgroup|gpu [OPTIONS]

          --kind cgroup|gpu          the exporter to stand in for; may be left out when the program is installed
                                     under a name that holds cgroup_exporter or nvidia_gpu
          --web.listen-address ADDR  [HOST]:PORT, by default :9306 (cgroup) or :9445 (gpu)
          --gpus NUMBER              how many GPUs there are, 8 by default
          --gpustat-directory DIR    where Slurm's prolog leaves "JOBID UID" for each GPU, /run/gpustat by default
          --path.cgroup.root DIR     cgroup: where control groups are mounted, /sys/fs/cgroup by default; the jobs
                                     that Slurm has there are real

        Accepted without effect, as the real exporters know them:
          cgroup: --config.paths, --path.slurmstepd.scope, --collect.fullslurm, --collect.username,
                  --web.disable-exporter-metrics
          gpu:    -disable.gpm, -web.disable-exporter-metrics

        """

    init(program: String, arguments: [String]) throws(Refusal) {
        var kind: Kind? =
            program.contains("cgroup_exporter") ? .cgroup : program.contains("nvidia_gpu") ? .gpu : nil
        var listen: String?
        var owners: [String] = []  // of flags that one of the exporters alone has
        var iterator = arguments.makeIterator()
        while let argument = iterator.next() {
            guard argument.hasPrefix("-") else { throw Refusal(text: "unexpected argument: \(argument)") }
            let bare = argument.drop { $0 == "-" }
            let parts = bare.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            func value() throws(Refusal) -> String {
                guard let value = parts.count > 1 ? parts[1] : iterator.next() else {
                    throw Refusal(text: "flag needs a value: \(argument)")
                }
                return value
            }
            switch parts.first ?? "" {
            case "h", "help": wantsHelp = true
            case "kind":
                let text = try value()
                guard let chosen = Kind(rawValue: text) else {
                    throw Refusal(text: "--kind is cgroup or gpu, not \(text)")
                }
                kind = chosen
            case "web.listen-address": listen = try value()
            case "gpustat-directory": statusDirectory = try value()
            case "gpus":
                guard let number = Int(try value()), (0...64).contains(number) else {
                    throw Refusal(text: "--gpus takes a number up to 64")
                }
                deviceCount = number
            case "path.cgroup.root":
                controlGroupRoot = try value()
                owners.append("cgroup")
            case "config.paths", "path.slurmstepd.scope":
                _ = try value()
                owners.append("cgroup")
            case "collect.fullslurm", "collect.username": owners.append("cgroup")
            case "disable.gpm": owners.append("gpu")
            case "web.disable-exporter-metrics": break
            default: throw Refusal(text: "unknown flag: \(argument)")
            }
        }
        guard let kind = kind ?? (wantsHelp ? .cgroup : nil) else {
            throw Refusal(text: "say --kind cgroup or --kind gpu")
        }
        guard owners.allSatisfy({ $0 == kind.rawValue }) else {
            throw Refusal(text: "a flag that \(kind.program) does not know")
        }
        self.kind = kind
        port = kind.usualPort
        guard let listen else { return }
        guard let colon = listen.lastIndex(of: ":"), let number = UInt16(listen[listen.index(after: colon)...]) else {
            throw Refusal(text: "--web.listen-address takes [HOST]:PORT, not \(listen)")
        }
        port = Int(number)
        address = String(listen[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}
