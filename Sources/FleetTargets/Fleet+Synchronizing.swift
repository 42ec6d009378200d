internal import CommandExecution
internal import Logging
internal import PromTargets
internal import RoleMonitor
public import ServiceManager

extension Fleet {
    /// Makes the directory hold just the files of nodes that have the role: one pass.
    ///
    /// Only what differs is written. What a pass may remove, and when, is as for ``prune(isDryRun:removing:)``. One
    /// process at a time does this for a directory, on whichever host.
    ///
    /// - Parameters:
    ///   - limit: with more to remove, nothing is removed; files are written nevertheless.
    ///   - categories: where not empty, files are made only for nodes of these categories.
    /// - Throws: ``FleetError``: `locked` when another process does this, `directory`, `hangs`,
    ///   `invalidConfiguration`.
    public func synchronize(
        removing limit: RemovalLimit = .tenth, categories: Set<String> = []
    ) async throws(FleetError) -> FleetReport {
        let record = try await lock()
        var report = FleetReport("sync", directory: directory.path)
        if !record.isLocked {
            report.notes.append(
                "\(directory.path) is on a file system without locks: see that one host alone runs a sync")
        }
        var judgement = try await judge(categories: categories)
        let before = await recorded(record)
        report.notes += Self.othersNotes(judgement.files, before)
        let writes = judgement.files.compactMap { file in file.wanted.map { (file, $0) } }
        if !writes.isEmpty { await apply(writes, &judgement, &report) }
        if !report.isInterrupted { await remove(&judgement, isDryRun: false, limit, &report) }
        report.files = judgement.files
        report.conclude(judgement.unknown)
        try await keep(record, judgement.files, before)
        try report.endIfInterrupted()
        return report
    }

    /// Makes passes until the task is cancelled.
    ///
    /// Where another process holds the directory, this one waits to take over. Shared storage that is missing or hangs
    /// is a problem of one pass, and the next one tries again.
    ///
    /// - Parameters:
    ///   - interval: the time between two passes; a second or more.
    ///   - jitter: up to this much is added to it by chance; not below zero.
    ///   - limit: as for ``synchronize(removing:categories:)``.
    ///   - categories: as for ``synchronize(removing:categories:)``.
    ///   - textfile: where each pass leaves ``FleetMetrics`` for node_exporter; nowhere by default.
    ///   - notifier: systemd, where it listens. Its watchdog is fed at every step of a pass, each of which has a time-out.
    /// - Throws: ``FleetError``: `invalidConfiguration`, also for an interval or a jitter that is none; under systemd also
    ///   `readOnly`, since a new start may help.
    public func keepSynchronized(
        every interval: Duration = .seconds(60), jitter: Duration = .seconds(5), removing limit: RemovalLimit = .tenth,
        categories: Set<String> = [], textfile: String? = nil, notifier: ServiceNotifier = ServiceNotifier()
    ) async throws(FleetError) {
        guard interval >= .seconds(1), jitter >= .zero else {
            throw FleetError(
                .invalidConfiguration, reason: "passes every \(interval) with up to \(jitter) more are none",
                remedy: "take an interval of a second or more, and a jitter that is not below zero")
        }
        if let time = notifier.watchdogInterval { heartbeat = Heartbeat(every: time / 3) { notifier.feedWatchdog() } }
        defer { heartbeat = .none }
        var conditions = ConditionLog(logger: logger)
        let clock = SystemClock()
        notifier.ready(status: "waiting for the first pass")
        while !Task.isCancelled {
            do throws(FleetError) {
                let report = try await synchronize(removing: limit, categories: categories)
                for (index, problem) in report.problems.enumerated() {
                    // Texts hold durations and numbers that differ each time.
                    conditions.note(
                        "problem \(index)", .error, problem, fingerprint: report.outcome.description,
                        ending: "passes succeed again", now: clock.now())
                }
                for note in report.notes { conditions.note(note, .warning, note, now: clock.now()) }
                notifier.status(report.problems.first ?? report.summary)
                leaveMetrics(of: .success(report), in: textfile)
            } catch  where error.code == .invalidConfiguration {
                throw error
            } catch  where error.code == .readOnly && notifier.isActive {
                // A new start of the unit gives it a new mount namespace, in which it may be writable.
                throw error
            } catch  where error.code == .cancelled {
                break
            } catch {
                conditions.note(
                    "pass", error.code == .locked ? .notice : .error, error.description,
                    ending: "passes are possible again", now: clock.now())
                notifier.status(error.description)
                // The one that waits leaves the file to the one that works.
                if error.code != .locked { leaveMetrics(of: .failure(error), in: textfile) }
            }
            conditions.endOthers(now: clock.now())
            heartbeat.beat()
            await pause(interval + jitter * Double.random(in: 0...1))
        }
        notifier.stopping()
    }

    // MARK: The record

    private func lock() async throws(FleetError) -> SyncRecord {
        let path = directory.path
        let present = record
        let attempt = try await onStorage { () throws(PromTargetsError) -> SyncRecord.Attempt in
            if let present, present.isInPlace { return .held(present) }
            let attempt = try SyncRecord.take(in: path)
            if case .held(let record) = attempt {
                try record.write(SyncRecord.Content(holder: SyncRecord.ownName, files: record.content?.files))
            }
            return attempt
        }
        switch attempt {
        case .held(let record):
            self.record = record
            return record
        case .heldByOther(let said):
            self.record = nil
            // Whoever may write there may write anything into the file.
            let holder = Self.inOneLine(said)
            throw FleetError(
                .locked, path: path, reason: "another sync keeps it" + (holder.isEmpty ? "" : " (\(holder))"),
                remedy: "stop one of them, or leave this one waiting to take over")
        }
    }

    private func recorded(_ record: SyncRecord) async -> [String: String]? {
        try? await onStorage { () throws(PromTargetsError) in record.content?.files }
    }

    /// Notes what the files are like now, if that is another thing than before.
    private func keep(
        _ record: SyncRecord, _ files: [FleetFile], _ before: [String: String]?
    ) async throws(FleetError) {
        let directory = directory
        var versions: [String: String] = [:]
        for file in files { versions[file.fileName] = file.entry?.version }
        let hasChanged = files.contains { $0.action != .none }
        guard hasChanged || versions != before else { return }
        try await onStorage { [versions] () throws(PromTargetsError) in
            var versions = versions
            if hasChanged {
                versions = [:]
                for entry in try directory.entries() { versions[entry.fileName] = entry.version }
            }
            try record.write(SyncRecord.Content(holder: SyncRecord.ownName, files: versions))
        }
    }

    /// What came from a file, short and without control characters.
    private static func inOneLine(_ text: String) -> String {
        ForeignText.printable(String(text.prefix(200)).replacing("\n", with: " "))
    }

    /// What others wrote or removed since the last pass.
    private static func othersNotes(_ files: [FleetFile], _ before: [String: String]?) -> [String] {
        let present = files.filter { $0.entry != nil && $0.state != .foreign }
        guard let before else {
            guard !present.isEmpty else { return [] }
            return [
                "\(present.count) files were here before the first sync; if role monitors run, set \"manage_targets\" "
                    + "to false in their configuration: sync keeps the files alone"
            ]
        }
        let written = present.filter { before[$0.fileName] != $0.entry?.version }.map(\.fileName)
        let now = Set(files.filter { $0.entry != nil }.map(\.fileName))
        let removed = before.keys.filter { !now.contains($0) }.sorted()
        let names = written + removed
        guard !names.isEmpty else { return [] }
        let shown = names.prefix(3).map(inOneLine).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
        return [
            "something else wrote or removed \(names.count) files since the last pass (\(shown)): role monitors keep this "
                + "directory, too; set \"manage_targets\" to false in their configuration, or stop the sync"
        ]
    }
}
