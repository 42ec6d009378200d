extension JobstatsPlan {
    /// Section 8: Open OnDemand, which is not installed; what to do is said.
    func onDemandSection() -> PlanSection {
        PlanSection(
            number: 8, title: "Open OnDemand",
            purpose:
                "A helper application for Open OnDemand takes users from a job's number to its dashboard in Grafana "
                + "with the right time range. It is not installed here, since this deployment does not touch the Open "
                + "OnDemand server: the notes say how.",
            link: PrincetonPage.link("ood"), steps: [], notes: onDemandNotes)
    }

    private var onDemandNotes: String {
        let helper = "\(Installed.jobstatsDirectory)/\(JobstatsTree.onDemandPath)"
        let cluster = configuration.clusterName
        return """
            The helper lies in \(Markdown.code(helper)) after section 9. On the Open OnDemand server (3.1 or later), where \
            `sacct` must work:

            \(Markdown.block(
                """
                cp -r \(helper) /var/www/ood/apps/sys/jobstats
                rm -f /var/www/ood/apps/sys/jobstats/Gemfile /var/www/ood/apps/sys/jobstats/Gemfile.lock
                """, language: "sh"))
            In the cluster's file (\(Markdown.code("/etc/ood/config/clusters.d/\(cluster).yml"))), below `v2:`, beside \
            `job:` with `adapter: slurm`:

            \(Markdown.block(
                """
                custom:
                  grafana:
                    host: "http://\(configuration.grafanaServer):\(configuration.grafanaPort)"
                    orgId: 1
                    dashboard:
                      name: "ondemand-clusters"
                      uid: "\(JobDashboard.identifier)"
                """, language: "yaml"))
            `uid` names the dashboard that opens: \(Markdown.code(JobDashboard.identifier)) is this deployment's own, \
            \(Markdown.code(ImportedDashboard.princetonIdentifier)) Princeton's. Both take the job as the variable `JobID`, \
            which the helper sets. `host` must be reachable by users' browsers, and they must be allowed to see the \
            dashboard there. To verify, open `/pun/sys/jobstats/\(cluster)/JOBID` on the Open OnDemand server for a job \
            that exists. To undo, remove `/var/www/ood/apps/sys/jobstats`.

            """
    }
}
