import ArgumentParser
import BCMClient
import FoundationEssentials

struct Latest: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "Show the newest values.")
    @Option(help: ArgumentHelp("A node, or a range of them; all by default.", valueName: "nodes"))
    var entity: String?
    @Option(help: ArgumentHelp("A metric or health check; all by default.", valueName: "name"))
    var measurable: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        Report(values: try await client.latestValues(entity: entity, measurable: measurable))
    }
}

struct Dump: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "Show series of values.")
    @Option(help: ArgumentHelp("A node; all by default.", valueName: "nodes"))
    var entity = ""
    @Option(help: ArgumentHelp("A metric or health check; all by default.", valueName: "name"))
    var measurable = ""
    @Option(help: ArgumentHelp("From when on: -1h, -30m, -7d, or what else BCM knows.", valueName: "time"))
    var start = "-1h"
    @Option(help: ArgumentHelp("Until when.", valueName: "time"))
    var end = "now"
    @Option(
        help: ArgumentHelp(
            "Into how many intervals values are gathered; 0 gives each that was measured.", valueName: "number"))
    var intervals = 0
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        Report(
            values: try await client.series(
                entity: entity, measurable: measurable, from: MonitoringMoment(notation: start),
                until: MonitoringMoment(notation: end), intervals: intervals))
    }
}

struct Entities: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "List what is measured.")
    @Argument(help: "Nodes: a name or a range; all by default.") var nodes: String?
    @Option(help: ArgumentHelp("Only those of this type, such as node.", valueName: "type"))
    var type: String?
    @Option(
        help: ArgumentHelp(
            "Only those whose name matches this regular expression (ECMAScript).", valueName: "expression"))
    var like: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        var range: NodeRange?
        if let nodes { range = try NodeRange(nodes) }
        let entities = try await client.monitoringEntities(named: range, type: type, like: like)
        return Report(objects: entities)
    }
}

struct Measurables: ReportingCommand {
    static let configuration = CommandConfiguration(abstract: "List what can be measured.")
    @Argument(help: "A metric or health check; all by default.") var name: String?
    @Option(
        help: ArgumentHelp(
            "Only those whose name matches this regular expression (ECMAScript).", valueName: "expression"))
    var like: String?
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        let measurables = try await client.measurables(named: name, like: like)
        return Report(objects: measurables)
    }
}

extension Report {
    fileprivate init(values: [MonitoringValue]) {
        json = .array(
            values.map { value in
                [
                    "entity": .text(value.entity), "measurable": .text(value.measurable),
                    "time": .optional(value.time.date?.timeIntervalSince1970), "time_text": .text(value.time.text),
                    "value": .text(value.value), "number": .optional(value.number),
                    "age_seconds": .optional(value.age.map { $0 / .seconds(1) }), "info": .optional(value.info),
                ]
            })
        table = Table(
            ["ENTITY", "MEASURABLE", "TIME", "VALUE"],
            values.map { value in
                [
                    value.entity, value.measurable, value.time.date.map { $0.formatted(.iso8601) } ?? value.time.text,
                    value.value,
                ]
            })
    }

    fileprivate init(objects: [MonitoringObject]) {
        json = .array(
            objects.map { object in
                ["key": .number(object.key), "name": .text(object.name), "type": .optional(object.type)]
            })
        table = Table(["NAME", "TYPE", "KEY"], objects.map { [$0.name, $0.type ?? "", $0.key.text] })
    }
}
