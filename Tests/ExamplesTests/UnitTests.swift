import Testing

/// Units that programs print start the programs where these lie: a package has them elsewhere than guided-setup.
struct UnitTests {
    @Test(arguments: [
        ("bcm-role-monitor", ["--print-unit"]), ("prom-targets", ["unit", "prune", "--prometheus-targets-dir", "/t"]),
        ("prom-targets", ["unit", "sync", "--prometheus-targets-dir", "/t"]),
        ("validate-deployment", ["--print-units", "--config", "/etc/bcm-jobstats/config.json"]),
    ])
    func printedUnitsStartTheProgramWhereItLies(program: String, arguments: [String]) throws {
        let place = try run(program, arguments)
        #expect(place.status == 0, "\(place.output)")
        let starts = place.output.split(separator: "\n").filter { $0.hasPrefix("ExecStart=") }
        #expect(starts.count == 1)
        let start = try #require(starts.first?.dropFirst("ExecStart=".count))
        #expect(start.hasPrefix("/") && start.split(separator: " ")[0].hasSuffix("/\(program)"))
        #expect(!start.hasPrefix("/usr/local/bin/"))
    }

    @Test func unitsThatArePrintedCannotBeInstalledAtOnce() throws {
        #expect(try run("validate-deployment", ["--print-units", "--install-timer"]).status == 2)
        #expect(try run("validate-deployment", ["--print-units", "--config", "relative.json"]).status == 2)
        #expect(try run("bcm-role-monitor", ["--print-unit", "--once"]).status == 2)
    }
}
