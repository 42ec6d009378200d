import CommandExecution
import FoundationEssentials

/// Checks that depend on what is deployed.
extension HostChecks {
    // MARK: Head nodes

    /// Whether a host reaches a port of other hosts.
    static func reaches(_ names: [String], port: Int) -> CheckResource {
        let words = names.map { "\($0):\(port)" }.joined(separator: ", ")
        return CheckResource(
            "it reaches BCM at \(words)",
            Command(
                "sh", ["-c", reach, "sh", String(port)] + names, timeout: .seconds(16))
        ) { judgeReach($0, of: names, port: port) }
    }

    /// Names those that do not answer within five seconds, in which all are tried at once.
    private static let reach = """
        answered=$(
            timeout -k 1 5 bash -c '
                port=$1
                shift
                for name; do { exec 3<>"/dev/tcp/$name/$port"; } 2>/dev/null && printf "%s\\n" "$name" & done
                wait
            ' bash "$@"
        )
        case $? in 125 | 126 | 127) exit 1 ;; esac
        shift
        for name; do
            case " $(echo $answered) " in *" $name "*) ;; *) printf '%s\\n' "$name" ;; esac
        done
        """

    static func judgeReach(_ result: CommandResult, of names: [String], port: Int) -> Assessment {
        guard result.succeeded else {
            return .warning("whether BCM is reached cannot be told", remedy: "bash and timeout are needed there")
        }
        let missing = result.outputText.split(separator: "\n").map { String($0) }
        return missing.isEmpty
            ? .inPlace()
            : .warning(
                "port \(port) is not reached on \(missing.joined(separator: ", "))",
                remedy: "the role monitor asks BCM there: look at names, routes and firewalls, and at CMDaemon's port")
    }

    // MARK: Programs

    /// Whether there is a program for the host's architecture; those without any source are not judged here.
    static func programs(_ available: [(name: String, architectures: Set<String>)]) -> CheckResource {
        let names = available.map(\.name).joined(separator: ", ")
        return CheckResource("programs for this architecture: \(names)", Command("uname", ["-m"])) { result in
            let architecture = result.outputText.trimmed
            guard result.succeeded, !architecture.isEmpty else {
                return .blocked("the host does not tell its architecture", remedy: "look at: uname -m")
            }
            let missing = available.filter { !$0.architectures.contains(architecture) }.map(\.name)
            guard let first = missing.first else { return .inPlace(architecture) }
            return .blocked(
                "there is no \(missing.joined(separator: ", ")) for \(architecture)",
                remedy: "name one in the configuration, as artifacts.\(first).\(architecture)")
        }
    }

    // MARK: Space for samples

    /// Whether the samples will fit where Prometheus keeps them.
    static func space(for estimate: StorageEstimate, in directory: String) -> CheckResource {
        CheckResource(
            "room for about \(estimate.gigabytes) GB of samples in \(directory)",
            Command(
                "sh",
                [
                    "-c",
                    """
                    path=$1
                    while [ ! -e "$path" ]; do path=${path%/*}; [ -n "$path" ] || path=/; done
                    df -Pk -- "$path" | sed -n 2p
                    if [ -d "$1" ]; then timeout 20 du -sk -- "$1"; fi
                    true
                    """, "sh", directory,
                ])
        ) { judgeSpace($0, estimate, directory) }
    }

    static func judgeSpace(_ result: CommandResult, _ estimate: StorageEstimate, _ directory: String) -> Assessment {
        let rows = result.outputText.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
        guard let row = rows.first, row.count >= 6, let free = Int(row[3]) else {
            return .warning("free space cannot be told", remedy: "look at: df \(directory)")
        }
        // What Prometheus holds already counts as room.
        let used = rows.dropFirst().first?.first.flatMap { Int($0) } ?? 0
        let room = (free + used) * 1024 / 1_000_000_000
        let words = "room for \(room) GB on \(row[5]), about \(estimate.gigabytes) GB are expected"
        return room < estimate.gigabytes
            ? .warning(
                "\(words) (\(estimate.assumptions))",
                remedy: "give \(directory) a larger disk, or lower prometheus_retention_days")
            : .inPlace(words)
    }
}

/// How much Prometheus will keep.
struct StorageEstimate: Sendable, Hashable {
    var nodes: Int
    var days: Int
    /// DGX systems have eight.
    var gpusPerNode = 8

    /// For a year, in megabytes: node_exporter, each GPU, and the jobs of a node, which vary most.
    private static let perNode = 2500
    private static let perGPU = 500
    private static let perNodeForJobs = 1000

    /// Gigabytes, rounded up.
    var gigabytes: Int {
        let year = nodes * (Self.perNode + gpusPerNode * Self.perGPU + Self.perNodeForJobs)
        return (year * days + 365 * 1000 - 1) / (365 * 1000)
    }

    /// What it rests on, in words.
    var assumptions: String {
        "\(Words.count(nodes, "node")), \(Words.count(days, "day")); assumed for a year: 2.5 GB for a node, 0.5 GB for each "
            + "of its \(gpusPerNode) GPUs, 1 GB for its jobs"
    }
}
