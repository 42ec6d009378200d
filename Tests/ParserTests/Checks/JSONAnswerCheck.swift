import FoundationEssentials

@testable import BCMClient

/// A JSON value is written such that it is read back the same; faults lie within the text; answers can be shown.
enum JSONAnswerCheck {
    static func check(_ bytes: [UInt8]) throws -> Bool {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            let offset = error.location?.offset ?? 0
            try promise((0...bytes.count).contains(offset), "the fault lies outside: \(error)")
            try promise(!error.reason.isEmpty, "a fault without a reason")
            return false
        }
        for indent in [0, 2] {
            let text = value.text(indent: indent)
            let again = try? JSONValue(parsing: text)
            try promise(again == value, "written with indent \(indent) it is read back as another value")
            try promise(haveSameBytes(again?.text(indent: indent) ?? "", text), "written twice it differs")
        }
        try promise(
            (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil, "another reader refuses the text")
        _ = value.excerpt
        read(value, in: .root)
        for (index, element) in (value.elements ?? []).prefix(8).enumerated() {
            read(element, in: .root.appending(.element(index)))
        }
        return true
    }

    /// Any value, of which the reader looks at the grammar alone.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }

    /// Reads the value as each answer that BCM gives.
    private static func read(_ value: JSONValue, in path: JSONPath) {
        let place = JSONPlace(value, path: path)
        _ = try? DeviceRecord(place)
        _ = (try? NodeStatus(place))?.state.isUp
        _ = try? MonitoringObject(place)
        _ = try? MonitoringUse(place)
        _ = (try? MonitoringValue(place)).map { "\($0.time) \($0.time.zoneless?.date(secondsFromUTC: 3600) as Any)" }
        _ = try? PushResult(place)
        _ = (try? HostInformation("dgx-01", place))?.memory?.description
        _ = (try? WorkloadJob(place))?.runTime
        _ = try? BCMLicense(place)
        _ = try? BCMSession(place)
        _ = try? BCMVersion(place, from: HeadNode(host: "head-a"))
        _ = JSONValue.location(of: path, in: Array(value.text().utf8))
    }
}
