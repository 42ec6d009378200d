internal import DurableFiles
internal import FoundationEssentials
internal import Logging

/// What a run of `prom-targets` leaves for node_exporter's textfile collector (Prometheus' text exposition format).
///
/// Every sample carries the label `command`, so that the files of a prune and a sync stand side by side.
public enum FleetMetrics {
    /// The text for a report: the number of files by state as they are now, when the run ended, and its status.
    ///
    /// - Parameters:
    ///   - report: what a run saw and did. A file that it wrote counts as current, and one that it removed does not count.
    ///   - time: when it ended, in seconds since 1970.
    public static func text(_ report: FleetReport, at time: Double) -> String {
        var counts: [FleetFile.State: Int] = [:]
        for file in report.files where file.action != .removed {
            counts[file.action == .written ? .current : file.state, default: 0] += 1
        }
        let command = "command=\"\(report.command)\""
        var text = "# HELP prom_targets_files Target files by state.\n# TYPE prom_targets_files gauge\n"
        // A prune does not look for files that are missing.
        for state in FleetFile.State.all where report.command != "prune" || state != .missing {
            text += "prom_targets_files{\(command),state=\"\(state)\"} \(counts[state] ?? 0)\n"
        }
        return text + end(command, report.outcome.exitStatus, time)
    }

    /// The text for a run that could not begin or had to stop: when, and its status; no files, since none were seen.
    public static func text(failed command: String, status: Int32, at time: Double) -> String {
        end("command=\"\(command)\"", status, time)
    }

    /// Writes the text at once, readable by all: a reader never finds half of it.
    ///
    /// - Throws: ``FleetError`` with the code `directory` that names the file.
    public static func write(_ text: String, to path: String) throws(FleetError) {
        do throws(DurableFileError) {
            try DurableFile.write(Array(text.utf8), to: path)
        } catch {
            throw FleetError(
                .directory, path: path, reason: "\(error)", remedy: "make its directory, or leave out --textfile")
        }
    }

    private static func end(_ labels: String, _ status: Int32, _ time: Double) -> String {
        """
        # HELP prom_targets_last_run_status The exit status of the last run or pass.
        # TYPE prom_targets_last_run_status gauge
        prom_targets_last_run_status{\(labels)} \(status)
        # HELP prom_targets_last_run_timestamp_seconds When the last run or pass ended.
        # TYPE prom_targets_last_run_timestamp_seconds gauge
        prom_targets_last_run_timestamp_seconds{\(labels)} \(Int(time.rounded(.down)))

        """
    }
}

extension Fleet {
    /// Writes the metrics of a pass of `sync`; a failure is logged and changes nothing else.
    func leaveMetrics(of outcome: Result<FleetReport, FleetError>, in textfile: String?) {
        guard let textfile else { return }
        let now = Date().timeIntervalSince1970
        do throws(FleetError) {
            switch outcome {
            case .success(let report): try FleetMetrics.write(FleetMetrics.text(report, at: now), to: textfile)
            case .failure: try FleetMetrics.write(FleetMetrics.text(failed: "sync", status: 1, at: now), to: textfile)
            }
        } catch {
            logger.warning("\(error)")
        }
    }
}
