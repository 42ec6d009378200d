/// The file `config.py` of the jobstats command, made from the site's configuration.
///
/// What the command reads is named on Princeton's page "The jobstats command". Notes, which are Python that the command
/// evaluates, are left to the site.
struct JobstatsConfiguration {
    /// How clients reach Prometheus, as a URL.
    var server: String
    /// How long samples are kept, in days.
    var retentionDays: Int
    /// The seconds between two samples: Prometheus's scrape interval.
    var samplingPeriod: Int
    /// Whether the GPU exporter's metrics carry a label `jobid`, as they do since its version 0.2.2.
    var hasJobLabels = true

    /// The first line.
    static let mark =
        "# Made by the jobstats deployment from its configuration. Once this file is edited, it is the site's own and kept."
    /// How one is known that was made here and not changed since, whatever configuration it was made from.
    static let marks = KeptConfiguration.Marks(first: mark, digest: "# Digest of what follows: ")

    /// The file, with a digest by which an unchanged one is known again.
    var text: String { "\(Self.mark)\n\(Self.marks.digest)\(SHA256Digest.hex(Array(body.utf8)))\n\(body)" }

    private var body: String {
        """

        # Prometheus as the login nodes and controllers reach it, and for how many days it keeps samples.
        PROM_SERVER = \(PythonText.quoted(server))
        PROM_RETENTION_DAYS = \(retentionDays)

        # Seconds between two samples: the scrape interval of Prometheus.
        SAMPLING_PERIOD = \(samplingPeriod)

        # The GPU exporter gives the job as a label of its metrics (0.2.2 and later).
        GPU_EXPORTER_JOBID = \(hasJobLabels ? "True" : "False")

        # Summaries go to Slurm's own database (AdminComment).
        EXTERNAL_DB_CONFIG = {"enabled": False}

        # Percentages: below the first a value is shown in red, below the second it deserves a note.
        GPU_UTIL_RED = 15
        GPU_UTIL_BLACK = 25
        CPU_UTIL_RED = 65
        CPU_UTIL_BLACK = 80
        TIME_EFFICIENCY_RED = 10
        TIME_EFFICIENCY_BLACK = 60
        MIN_MEMORY_USAGE = 70

        # Jobs shorter than this, in seconds, get no notes.
        MIN_RUNTIME_SECONDS = 10 * SAMPLING_PERIOD

        # Other names for clusters, as {"name in Slurm": "name that people use"}.
        CLUSTER_TRANS = {}
        CLUSTER_TRANS_INV = {name: cluster for cluster, name in CLUSTER_TRANS.items()}

        MAX_JOBNAME_LEN = 64

        # Notes below a report: tuples of condition, text and style. They are Python and run as whoever asks.
        NOTES = []

        """
    }
}

/// Text as Python literals (Python language reference, 2.4.1).
enum PythonText {
    /// A string literal of ASCII characters only, on one line, that holds exactly this text.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5c: quoted += "\\\(scalar)"
            case 0x20...0x7e: quoted.unicodeScalars.append(scalar)
            case 0...0xff: quoted += "\\x" + hexadecimal(scalar, 2)
            case 0...0xffff: quoted += "\\u" + hexadecimal(scalar, 4)
            default: quoted += "\\U" + hexadecimal(scalar, 8)
            }
        }
        return quoted + "\""
    }

    private static func hexadecimal(_ scalar: Unicode.Scalar, _ width: Int) -> String {
        let digits = String(scalar.value, radix: 16)
        return String(repeating: "0", count: width - digits.count) + digits
    }
}
