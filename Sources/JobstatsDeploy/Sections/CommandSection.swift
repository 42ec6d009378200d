import CommandExecution
import PromTargets

extension JobstatsPlan {
    /// Section 9: the jobstats command. First the files on shared storage, then the hosts where it is typed.
    func commandSections() throws -> [PlanSection] {
        let purpose =
            "The `jobstats` command shows users how well a job uses its CPUs, GPUs and memory. It lies on shared "
            + "storage once, with a configuration for this site; login nodes and Slurm controllers have a link to it."
        guard !context.skips("jobstats") else { return [leftOut(9, "The jobstats command", "jobstats", purpose)] }
        let shared = PlanSection(
            number: 9, title: "The jobstats command", purpose: purpose, link: PrincetonPage.link("jobstats_command"),
            steps: try sharedSteps(), notes: commandNotes)
        guard !commandHosts.isEmpty else { return [shared] }
        return [
            shared,
            PlanSection(
                number: 9, title: "The jobstats command on its hosts",
                purpose: "Each login node and Slurm controller finds the command, and what it needs of Python.",
                link: PrincetonPage.link("jobstats_command"), steps: linkSteps),
        ]
    }

    /// Where the command is typed, or called by slurmctld.
    var commandHosts: [Host] {
        Self.unique(context.hosts(configuration.systems.loginNodes + configuration.systems.slurmController))
    }

    /// The upstream tree, as it lies on this machine.
    var jobstatsArchive: DeploymentContext.LocalProgram? {
        let archives = context.programs[.jobstats] ?? [:]
        // The tree is the same for every architecture.
        return archives[.x86] ?? archives[.arm]
    }

    private func sharedSteps() throws -> [Step] {
        let host = [context.localHost]
        let configurationFile = FileResource(
            "\(Installed.jobstatsDirectory)/config.py", .text(try jobstatsConfiguration().text))
        return [
            Step(
                "9.directory", "Directory on shared storage", on: host, DirectoryResource(Installed.jobstatsDirectory)),
            Step(
                "9.program", "The command's files", on: host,
                JobstatsTreeResource(Installed.jobstatsDirectory, from: jobstatsArchive)),
            Step(
                "9.configuration", "The command's configuration", on: host,
                KeptConfiguration(
                    configurationFile, consent: "jobstats-config", isAdopted: context.adopts("jobstats-config"),
                    marks: JobstatsConfiguration.marks)),
        ]
    }

    /// What the command is told.
    func jobstatsConfiguration() throws -> JobstatsConfiguration {
        JobstatsConfiguration(
            server: "http://\(configuration.prometheusServer):\(configuration.prometheusPort)",
            retentionDays: configuration.prometheusRetentionDays,
            samplingPeriod: Int(try scrapeConfiguration().scrapeInterval.components.seconds))
    }

    private var linkSteps: [Step] {
        [
            Step("9.requests", "Python module requests", on: commandHosts, PackageResource("python3-requests")),
            Step("9.blessed", "Python module blessed", on: commandHosts, PackageResource("python3-blessed")),
            Step(
                "9.link", "Link to the command", on: commandHosts,
                LinkResource(Installed.jobstatsLink, to: "\(Installed.jobstatsDirectory)/jobstats")),
            Step(
                "9.starts", "The command starts", on: commandHosts,
                // A network file system may show new files some seconds late.
                StartingCommand(
                    program: Installed.jobstatsLink, arguments: ["--help"], patience: 30,
                    remedy:
                        "it is run as nobody. Is \(Installed.jobstatsDirectory) mounted there, and may all read what is "
                        + "in it? look at: ls -l \(Installed.jobstatsLink)/ \(Installed.jobstatsDirectory)/")),
        ]
    }

    private var commandNotes: String {
        var notes = """
            `config.py` may be edited: from then on it is the site's own, and a later run keeps it and shows what differs. \
            Notes in it are Python that runs as whoever types `jobstats`, so only administrators may write it.

            """
        if commandHosts.isEmpty {
            notes += """

                No login node and no Slurm controller is configured, so no host gets the link \
                `\(Installed.jobstatsLink)`.

                """
        }
        return notes
    }
}
