import ArgumentParser
import BCMClient

struct PostEvent: ReportingCommand {
    static let configuration = CommandConfiguration(commandName: "post", abstract: "Add an event to BCM's log.")
    @Argument(help: "What happened, in a line.") var message: String
    @Option(help: ArgumentHelp("More about it.", valueName: "text"))
    var details = ""
    @Option(help: ArgumentHelp("How grave it is, in BCM's words.", valueName: "word"))
    var severity = "notice"
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        try await client.post(ClusterEvent(message, details: details, severity: severity))
        return Report(json: ["posted": true], table: Table([], [["posted"]]))
    }
}

struct Call: ReportingCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a call of the JSON interface and print its answer as it is.",
        discussion: """
            An argument that is JSON is sent as it is, and any other as a text: node001 is a text, 5 a number, '"5"' a text. \
            Calls can change the cluster.
            """)
    @Argument(help: "The service, such as cmdevice.") var service: String
    @Argument(help: "The call, such as getDevice.") var call: String
    @Argument(help: "Its arguments, in order.") var arguments: [String] = []
    @Option(help: ArgumentHelp("An argument with a name; can be given again.", valueName: "name=value"))
    var named: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        for text in named where !text.dropFirst().contains("=") {
            throw ValidationError("--named \(text): not of the form NAME=VALUE.")
        }
    }

    func report(_ client: RESTClient) async throws(BCMError) -> Report {
        func value(_ text: String) -> JSONValue { (try? JSONValue(parsing: text)) ?? .text(text) }
        let members = named.map { text in
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return JSONObject.Member(sides[0], value(sides[1]))
        }
        let answer = try await client.call(service, call, arguments.map(value), named: members)
        return Report(json: answer, table: Table(document: answer))
    }
}

extension Table {
    /// A JSON document in lines; there is no other form of it.
    fileprivate init(document: JSONValue) {
        self.init([], [])
        self.document = document.text(indent: 2)
    }
}
