/// The alert rules that come with the deployment.
enum AlertRules {
    /// A rule file of Prometheus.
    static let text = """
        # \(Installed.mark)
        groups:
          - name: jobstats
            rules:
              - alert: JobstatsExporterDown
                expr: up{job=~"node_exporter|cgroup_exporter|gpu_exporter"} == 0
                for: 5m
                labels:
                  severity: warning
                annotations:
                  summary: "{{ $labels.job }} on {{ $labels.hostname }} does not answer"
                  description: "Jobs on this node get no statistics. On the node: systemctl status {{ $labels.job }}"
              - alert: JobstatsNoTargets
                expr: absent(up{job="node_exporter"})
                for: 30m
                labels:
                  severity: warning
                annotations:
                  summary: "Prometheus scrapes no node at all"
                  description: "Either no node has the role, or the directory of target files is not seen here."
              - alert: JobstatsTextfileStale
                expr: time() - node_textfile_mtime_seconds{file=~".*/bcm_role_monitor[.]prom"} > 900
                for: 5m
                labels:
                  severity: warning
                annotations:
                  summary: "The role monitor on {{ $labels.hostname }} writes no metrics any more"
                  description: "On the node: systemctl status bcm-role-monitor"
              - alert: JobstatsTextfileError
                expr: node_textfile_scrape_error == 1
                for: 15m
                labels:
                  severity: warning
                annotations:
                  summary: "node_exporter on {{ $labels.hostname }} cannot read a metrics file"
              - alert: JobstatsRoleUnknown
                expr: time() - bcm_role_monitor_last_success_timestamp_seconds > 1800
                for: 10m
                labels:
                  severity: warning
                annotations:
                  summary: "The role monitor on {{ $labels.hostname }} got no certain answer from BCM for half an hour"
                  description: "Nothing is changed there meanwhile. On the node: bcm-role-monitor --check-connectivity"
              - alert: JobstatsUnitGivenUp
                expr: bcm_role_monitor_unit_given_up == 1
                labels:
                  severity: warning
                annotations:
                  summary: "{{ $labels.unit }} on {{ $labels.hostname }} does not start and was given up"
                  description: "On the node: systemctl status {{ $labels.unit }}; then bcm-role-monitor --reset"
              - alert: JobstatsCertificateEnds
                expr: bcm_role_monitor_certificate_left_days < 30
                labels:
                  severity: warning
                annotations:
                  summary: "The role monitor's certificate on {{ $labels.hostname }} ends within 30 days"
                  description: "On the head node: deploy-role-monitor --renew"

        """
}
