import CommandExecution

/// Asks Grafana on its own host whether its data source reaches Prometheus.
enum GrafanaSourceCheck {
    static func resource(port: Int, secret: String, source: String) -> ReadableCheck {
        ReadableCheck(
            CheckResource(
                "the data source \(source) reaches Prometheus",
                Command("bash", ["-c", script, "bash", String(port), secret, source], timeout: .seconds(60)),
                judge: { judge($0, source, secret) }),
            byHand: [
                "curl -s --netrc-file NETRC http://localhost:\(port)/api/datasources/uid/\(source)/health"
                    + "  # NETRC: machine localhost login admin password ..., see \(secret)"
            ])
    }

    /// Prints the status of the health request and its answer. bash(1) opens the connection and builds the header by
    /// itself, so the password is on no command line. A Grafana before 9.0 does not know that request; there it is seen
    /// whether the data source is listed.
    private static let script = """
        set -u
        port=$1 secret=$2 source=$3
        password=$(sed -n 's/^GF_SECURITY_ADMIN_PASSWORD=//p' "$secret") || exit 1
        token=$(printf 'admin:%s' "$password" | base64 -w 0)
        get() {
            { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
            printf 'GET %s HTTP/1.0\\r\\nHost: localhost\\r\\nAuthorization: Basic %s\\r\\n\\r\\n' "$1" "$token" >&3
            timeout 20 head -c 1000000 <&3
            exec 3>&-
        }
        answer=$(get "/api/datasources/uid/$source/health") || { echo none; exit 0; }
        read -r _ status _ <<<"$answer"
        if [ "$status" = 404 ]; then
            list=$(get /api/datasources)
            read -r _ status _ <<<"$list"
            if [ "$status" = 200 ]; then
                status=missing
                grep -q "\\"uid\\": *\\"$source\\"" <<<"$list" && status=listed
                grep -q "\\"name\\": *\\"$source\\"" <<<"$list" && status=listed
            fi
        fi
        echo "$status"
        grep -o '"message": *"[^"]*"' <<<"$answer" | head -n 1 | cut -c 1-400
        true
        """

    static func judge(_ result: CommandResult, _ source: String, _ secret: String) -> Assessment {
        let lines = result.outputText.split(separator: "\n").map { String($0) }
        let said = lines.dropFirst().first.map { ": \($0)" } ?? ""
        switch lines.first {
        case "200": return .inPlace("the data source works")
        case "listed": return .inPlace("the data source is there; this Grafana cannot test it")
        case "missing":
            return .blocked(
                "Grafana does not know the data source \(source)",
                remedy: "look at: journalctl -u \(Installed.grafanaUnit) | grep -i provisioning")
        case "401", "403":
            return .warning(
                "Grafana does not take the password in \(secret), so the data source was not tested",
                remedy: "its database is older than that password; set it with: grafana cli admin "
                    + "reset-admin-password --password-from-stdin")
        case "none", nil:
            return .blocked("Grafana does not answer", remedy: "look at: journalctl -u \(Installed.grafanaUnit)")
        case let status?:
            return .warning(
                "the data source is not well (HTTP \(status))\(said)",
                remedy: "does Prometheus run, and does this server reach it under the name of the configuration?")
        }
    }
}
