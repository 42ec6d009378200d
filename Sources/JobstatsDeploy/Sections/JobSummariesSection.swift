import CommandExecution

extension JobstatsPlan {
    /// Section 5: what a job used stays in Slurm's database when Prometheus has forgotten it.
    ///
    /// Three parts: the script on every controller, BCM's setting, and slurmctld knowing it.
    func jobSummariesSections() throws -> [PlanSection] {
        guard let first = controllers.first else {
            return [
                PlanSection(
                    number: 5, title: "Job summaries",
                    purpose:
                        "No Slurm controller is configured (`systems.slurm_controller` is empty): summaries of jobs "
                        + "are not stored.", link: PrincetonPage.link("summaries"), steps: [])
            ]
        }
        let script = PlanSection(
            number: 5, title: "Job summaries: the script",
            purpose:
                "When a job ends, slurmctld runs a script that has jobstats compute the job's summary and stores it "
                + "with the job in Slurm's database, where it outlives the samples in Prometheus. Every controller "
                + "has the script, those for high availability too.",
            link: PrincetonPage.link("summaries"),
            steps: [
                Step(
                    "5.script", "Epilog of slurmctld", on: controllers,
                    FileResource(
                        SlurmPaths.controllerEpilog, .text(SlurmScript.controllerEpilog), mode: 0o755,
                        keepsBackup: true)),
                Step("5.commands", "Commands that the script needs", on: controllers, Self.summaryCommands),
            ])
        let setting = PlanSection(
            number: 5, title: "Job summaries: BCM's setting",
            purpose: "BCM writes slurm.conf, and so is told of the script. An epilog that a site has already is never "
                + "replaced.", link: PrincetonPage.link("summaries"),
            steps: [
                Step(
                    "5.epilog", "epilogslurmctld in BCM", on: [context.localHost],
                    try EpilogSetting(instance: configuration.wlmInstance))
            ])
        let running = PlanSection(
            number: 5, title: "Job summaries: slurmctld",
            purpose:
                "slurmctld reads its configuration again. Before version 23.11 a slurmctld that was started without "
                + "an epilog runs none even so, although it shows one: it is restarted, which jobs survive.",
            link: PrincetonPage.link("summaries"),
            steps: [
                Step(
                    "5.running", "slurmctld runs the epilog", on: [first], consent: Consent.slurmRestart.name,
                    EpilogRuns(instance: configuration.wlmInstance)),
                Step(
                    "5.slurmctld", "slurmctld is younger than the setting", on: controllers,
                    consent: Consent.slurmRestart.name,
                    SlurmRestart(
                        .controller, instance: configuration.wlmInstance, settings: [], mark: SlurmPaths.epilogMark)),
            ], notes: backfillNotes)
        return [script, setting, running]
    }

    /// With the PATH of the script. jobstats itself comes with section 9.
    static let summaryCommands = CheckResource(
        "the script finds jobstats, sacct, sacctmgr, timeout and logger",
        Command(
            "sh",
            [
                "-c", "PATH=$1; shift; for name; do command -v \"$name\" >/dev/null || echo \"$name\"; done", "sh",
                "\(SlurmPaths.programs):/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "jobstats", "sacct", "sacctmgr",
                "timeout", "logger",
            ])
    ) { result in
        let missing = result.outputText.split(separator: "\n").map { String($0) }
        guard result.succeeded, !missing.isEmpty else {
            return result.succeeded ? .inPlace() : .warning("it cannot be told", remedy: "look at: command -v jobstats")
        }
        return .warning(
            "not found: \(missing.joined(separator: ", "))",
            remedy: missing == ["jobstats"]
                ? "section 9 puts it there; until then jobs end without a summary"
                : "the script finds commands in \(SlurmPaths.programs), /usr/local/bin and the system's own places")
    }

    private var backfillNotes: String {
        """
        Jobs that ended while the epilog, Prometheus or Slurm's database was away have no summary. Upstream's \
        `ingest_jobstats` with `jobs_with_no_data.py` (folder `slurm` of the jobstats repository) finds such jobs and stores \
        their summaries; it reads Slurm's database and so belongs on the host of slurmdbd. To have it run every four \
        minutes, put both into `/usr/local/sbin` there, and add

        ```ini
        # /etc/systemd/system/ingest_jobstats.service
        [Unit]
        Description=Store summaries of jobs that have none

        [Service]
        Type=oneshot
        ExecStart=/usr/local/sbin/ingest_jobstats -c \(configuration.clusterName) -n 1000
        TimeoutStartSec=1h
        ```

        ```ini
        # /etc/systemd/system/ingest_jobstats.timer
        [Unit]
        Description=Look for jobs without a summary

        [Timer]
        OnBootSec=10min
        OnUnitInactiveSec=4min

        [Install]
        WantedBy=timers.target
        ```

        then `systemctl daemon-reload && systemctl enable --now ingest_jobstats.timer`. Each run looks at 1000 jobs at most.

        """
    }
}
