import ArgumentParser
import BCMClient
import ExampleSupport
import Glibc

/// What a command has to say: a document, and the same as a table.
struct Report: Sendable {
    var json: JSONValue
    var table: Table
}

/// How a report is printed.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print a JSON document instead of a table.")
    var json = false
    @Flag(help: "Print whole values, however wide the table gets.")
    var wide = false
}

/// A command that asks BCM something and prints the answer.
protocol ReportingCommand: AsyncParsableCommand {
    var connection: ConnectionOptions { get }
    var output: OutputOptions { get }
    func report(_ client: RESTClient) async throws(BCMError) -> Report
}

extension ReportingCommand {
    func run() async throws {
        let result: Result<Report, BCMError>
        do throws(BCMError) {
            let client = try connection.client()
            let command = UncheckedBox(self)
            result = await Interrupts.cancelling {
                do throws(BCMError) { return .success(try await command.value.report(client)) } catch {
                    return .failure(error)
                }
            }
            try? await client.logout()
            client.shutDown()
        } catch {
            result = .failure(error)
        }
        switch result {
        case .success(let report):
            let text = output.json ? report.json.text(indent: 2) + "\n" : report.table.text(Screen(output))
            Program.write(text, to: STDOUT_FILENO)
        case .failure(let error):
            StandardErrorLog.fail("bcmctl: \(error)")
            throw ExitCode(error.exitStatus)
        }
    }
}

/// A parsed command, which is not changed any more.
private struct UncheckedBox<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

extension BCMError {
    /// The exit status that stands for the kind of failure.
    var exitStatus: Int32 {
        switch code {
        case .invalidConfiguration: 2
        case .notReachable, .connectionLost, .timedOut, .unavailable: 3
        case .notTrusted, .notAuthorised: 4
        case .cancelled: 130
        default: 1
        }
    }
}

extension JSONValue {
    /// A text, or null.
    static func optional(_ value: String?) -> JSONValue { value.map { .text($0) } ?? .null }
    /// A whole number, or null.
    static func optional(_ value: Int?) -> JSONValue { value.map { .number(JSONNumber($0)) } ?? .null }
    /// A number, or null.
    static func optional(_ value: Double?) -> JSONValue {
        value.flatMap { JSONNumber($0) }.map { .number($0) } ?? .null
    }
    /// A truth value, or null.
    static func optional(_ value: Bool?) -> JSONValue { value.map { .boolean($0) } ?? .null }
    /// Texts, or null.
    static func optional(_ values: [String]?) -> JSONValue { values.map { .array($0.map { .text($0) }) } ?? .null }
}
