extension PlanRunner {
    /// Takes a person through the plan section by section, in place of running it at once.
    package func walk(with console: any Console) async -> RunReport {
        let pool = ConnectionPool(connector)
        let run = WalkRun(
            WalkRun.Source(outline: plan) { [plan] number, _, _, _ in plan.limited(toSections: [number]) },
            startingAt: nil, console: console, pool: pool, options: options, progress: progress)
        var (report, _) = await run.run()
        report.connections = await pool.closeAll()
        return report
    }
}
