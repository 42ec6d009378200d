import CommandExecution

extension JobstatsValidation {
    /// Group 7: the jobstats command where it is typed, and where slurmctld's epilog calls it.
    func commandChecks() throws -> [ValidationCheck] {
        let probe = CommandProbe()
        func check(
            _ id: String, _ title: String, expected: String, byHand: String, on hosts: [Host],
            judge: @escaping @Sendable (Host, CommandProbe.Answer) -> ValidationVerdict
        ) -> ValidationCheck {
            ValidationCheck(
                id, title, expected: expected, byHand: [byHand], on: hosts, asking: { _ in probe.queries }
            ) { host, facts, _ in
                guard let answer = probe.answer(facts) else {
                    return .unseen(
                        "the host's answer was cut off", advice: "run validate-deployment again with --limit \(host)")
                }
                return judge(host, answer)
            }
        }
        let bare = UnprivilegedShell.byHand("env", ["-i", "PATH=\(CommandProbe.barePath)", "jobstats", "--help"])
        let wanted = try plan.jobstatsConfiguration()
        let file = "\(Installed.jobstatsDirectory)/config.py"
        return [
            check(
                "7.link", "Link to jobstats", expected: "\(probe.link) leads to \(probe.directory)/jobstats",
                byHand: UnprivilegedShell.byHand("readlink", ["-e", probe.link]), on: plan.commandHosts,
                judge: Self.judgeLink),
            check(
                "7.starts", "jobstats starts", expected: "jobstats --help, as nobody, ends with 0",
                byHand: UnprivilegedShell.byHand(probe.link, ["--help"]),
                on: plan.commandHosts, judge: Self.judgeStart),
            check(
                "7.modules", "Python modules of jobstats", expected: "requests and blessed can be imported",
                byHand: "python3 -c 'import requests, blessed'", on: plan.commandHosts, judge: Self.judgeModules),
            check(
                "7.bare", "jobstats without an environment", expected: "it starts as slurmctld's epilog calls it",
                byHand: bare, on: controllers
            ) { host, answer in Self.judgeBare(host, answer, bare) },
            check(
                "7.settings", "Settings of jobstats",
                expected: "config.py has this site's Prometheus, retention and scrape interval",
                byHand: "grep -E '^(PROM_|SAMPLING)' \(file)", on: plan.commandHosts.isEmpty ? [] : [localHost]
            ) { _, answer in Self.judgeSettings(answer, wanted, file) },
            check(
                "7.revision", "Revision of jobstats",
                expected: "the revision that this version of the tools, or the configuration, names",
                byHand: "cat \(Installed.jobstatsDirectory)/\(JobstatsTree.revisionName)",
                on: plan.commandHosts.isEmpty ? [] : [localHost]
            ) { _, answer in Self.judgeRevision(answer, wantedRevision) },
        ]
    }

    /// The revision that is deployed; nil where a file or an archive is.
    private var wantedRevision: String? {
        let sources = configuration.artifacts[.jobstats] ?? ArtifactManifest.standard.entries[.jobstats]?.sources
        guard case .git(_, let revision, _, _)? = sources?[ProgramFinder.localArchitecture]?.location else {
            return nil
        }
        return revision
    }

    /// Known troubles of older revisions (time limits UNLIMITED, allocation strings, MIG) are mended in the pinned one.
    static func judgeRevision(_ answer: CommandProbe.Answer, _ wanted: String?) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        if answer.timedOut("revision") {
            return .unseen(
                "no answer within 20 s", advice: "is the shared storage well? \(Installed.jobstatsDirectory)")
        }
        guard let (status, text) = answer.parts["revision"] else {
            return .unseen("the host did not tell it", advice: "run validate-deployment again")
        }
        guard let wanted else { return .skipped("the configuration names a file or an archive, not a revision") }
        let advice = "move to revision \(wanted): guided-setup --section 9"
        switch status {
        case 0 where text == wanted: return .passed(text)
        case 0: return .warning("it is \(Words.cut(ForeignText.printable(text), 60))", advice: advice)
        case 3: return .warning("nothing tells which it is; older ones have known troubles", advice: advice)
        default:
            return .unseen(
                ForeignText.printable(answer.said("revision")), advice: "look at \(Installed.jobstatsDirectory)")
        }
    }

    static func judgeLink(_ host: Host, _ answer: CommandProbe.Answer) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        let link = Installed.jobstatsLink, target = "\(Installed.jobstatsDirectory)/jobstats"
        guard answer.succeeded("link") else {
            return answer.timedOut("link")
                ? .unseen(
                    "no answer within 20 s", advice: "is the shared storage well? ls \(Installed.jobstatsDirectory)")
                : .failed(
                    "\(link) leads nowhere",
                    advice: "is \(Installed.jobstatsDirectory) mounted there? then \(repair(9, host))")
        }
        guard answer.succeeded("executable") else {
            return .failed("what \(link) leads to cannot be run", advice: "chmod 755 \(target)")
        }
        let found = answer.said("link")
        return found == target
            ? .passed(found)
            : .warning("it leads to \(Words.cut(ForeignText.printable(found), 120))", advice: repair(9, host))
    }

    static func judgeStart(_ host: Host, _ answer: CommandProbe.Answer) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        let byHand = UnprivilegedShell.byHand(Installed.jobstatsLink, ["--help"])
        if answer.succeeded("starts") { return .passed("starts") }
        if !answer.succeeded("executable") { return .skipped("there is none; see 7.link") }
        if answer.timedOut("starts") {
            return .unseen("no answer within 20 s", advice: "on the host: \(byHand); is the shared storage well?")
        }
        return .failed(
            "jobstats --help fails: \(ForeignText.printable(answer.said("starts")))",
            advice: "on the host: \(byHand); see 7.modules and 7.settings; then guided-setup --section 9")
    }

    static func judgeModules(_ host: Host, _ answer: CommandProbe.Answer) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        guard answer.succeeded("python3") else {
            return answer.timedOut("python3")
                ? .unseen("python3 gave no answer within 20 s", advice: "on the host: python3 -c pass")
                : .failed("there is no python3", advice: "on the host: apt-get install python3")
        }
        let missing = ["requests", "blessed"].filter { !answer.succeeded($0) }
        guard !missing.isEmpty else { return .passed("requests, blessed") }
        return .failed(
            "cannot be imported: \(missing.joined(separator: ", ")): \(ForeignText.printable(answer.said(missing[0])))",
            advice: "\(repair(9, host)), which installs \(missing.map { "python3-\($0)" }.joined(separator: " "))")
    }

    static func judgeBare(_ host: Host, _ answer: CommandProbe.Answer, _ byHand: String) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        if answer.succeeded("bare") { return .passed("starts") }
        if answer.timedOut("bare") { return .unseen("no answer within 20 s", advice: "on the host: \(byHand)") }
        if answer.parts["bare"]?.status == 127 {
            return .failed(
                "not found in the epilog's PATH, so jobs end without a summary",
                advice: "the link must be \(Installed.jobstatsLink): \(repair(9, host))")
        }
        return .failed(
            "it fails without an environment: \(ForeignText.printable(answer.said("bare")))",
            advice: "on the host: \(byHand)")
    }

    static func judgeSettings(
        _ answer: CommandProbe.Answer, _ wanted: JobstatsConfiguration, _ file: String
    ) -> ValidationVerdict {
        if let refusal = answer.refusal { return refusal }
        if answer.timedOut("settings") || answer.timedOut("readable") || !answer.succeeded("python3") {
            return .unseen("python3 gave no answer here", advice: "look at \(file) by hand")
        }
        if answer.parts["readable"]?.status == 1 {
            return .failed(
                "users cannot read \(file), so jobstats does not start for them",
                advice: "chmod 644 \(file), and 755 for the folders above it; where it is missing: "
                    + "guided-setup --section 9")
        }
        let repair = "correct \(file), or replace it: guided-setup --section 9 --allow adopt-jobstats-config"
        guard let found = answer.settings else {
            return .failed("\(file) cannot be read: \(ForeignText.printable(answer.said("settings")))", advice: repair)
        }
        var problems: [String] = []
        func compare(_ key: String, _ value: String?, _ wanted: String) {
            if value != wanted { problems.append("\(key) is \(Words.cut(value ?? "not set", 80)), not \(wanted)") }
        }
        let server = found.server.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        compare("PROM_SERVER", server.map { ForeignText.printable($0) }, wanted.server)
        compare("PROM_RETENTION_DAYS", found.retentionDays.map { "\($0)" }, "\(wanted.retentionDays)")
        compare("SAMPLING_PERIOD", found.samplingPeriod.map { "\($0)" }, "\(wanted.samplingPeriod)")
        return problems.isEmpty
            ? .passed("\(wanted.server), \(wanted.retentionDays) days, \(wanted.samplingPeriod) s")
            : .failed(problems.joined(separator: "; "), advice: repair)
    }
}
