/// Where BCM keeps Slurm's files (Administrator Manual, chapter on workload management).
package enum SlurmPaths {
    /// The folder of an instance's slurm.conf, cgroup.conf and gres.conf, on shared storage.
    package static func folder(_ instance: String) -> String { "/cm/shared/apps/slurm/var/etc/\(instance)" }
    /// The one slurm.conf of an instance, the same file for all controllers and nodes.
    package static func configuration(_ instance: String) -> String { "\(folder(instance))/slurm.conf" }
    /// Where Slurm's commands are.
    package static let programs = "/cm/shared/apps/slurm/current/bin"
    /// Scripts of prolog and epilog, on shared storage.
    package static let scripts = "/cm/shared/apps/slurm/var/cm"
    /// This deployment's prolog.
    package static let prolog = "\(scripts)/prolog-jobstats.sh"
    /// This deployment's epilog.
    package static let epilog = "\(scripts)/epilog-jobstats.sh"
    /// A link in here makes BCM's generic prolog run the script on this node.
    package static let prologLink = "/cm/local/apps/slurm/var/prologs/60-prolog-jobstats.sh"
    /// A link in here makes BCM's generic epilog run the script on this node.
    package static let epilogLink = "/cm/local/apps/slurm/var/epilogs/60-epilog-jobstats.sh"
    /// BCM's generic prolog.
    package static let genericProlog = "/cm/local/apps/cmd/scripts/prolog"
    /// BCM's generic epilog.
    package static let genericEpilog = "/cm/local/apps/cmd/scripts/epilog"
    /// What slurmctld runs at the end of each job, on every controller.
    package static let controllerEpilog = "/usr/local/sbin/slurmctldepilog.sh"
    /// An empty file that is as old as the last change of Slurm's settings by this deployment: daemons that are older
    /// still run with the earlier ones.
    package static let changeMark = "\(scripts)/jobstats-settings-changed"

    /// The same for the epilog of slurmctld, which concerns no other daemon.
    package static let epilogMark = "\(scripts)/jobstats-epilog-changed"

    /// `PATH` for Slurm's commands, whether they are BCM's or the distribution's.
    static let search = "\(programs):/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
}
