import BCMClient
import Glibc
import Logging

/// Lists the nodes that have a role, with their addresses and states, as the first head node that can be used tells them.
///
///     nodes-with-role slurmclient CA-FILE CERTIFICATE KEY HEAD-NODE ...
///
/// Exit status: 0 done, 1 BCM gave no answer to go by, 2 usage, 3 no head node was reached in time.
func listNodes(with role: String, _ files: ArraySlice<String>, _ heads: ArraySlice<String>) async throws(BCMError) {
    let files = Array(files)
    var headNodes: [HeadNode] = []
    for name in heads { headNodes.append(try HeadNode(parsing: name)) }
    let client = try RESTClient(
        configuration: .init(
            headNodes: headNodes, certificateFile: files[1], keyFile: files[2], trust: .authority(file: files[0]),
            requestTimeout: .seconds(10)),
        logger: Logger(label: "nodes-with-role") { _ in SwiftLogNoOpLogHandler() })
    defer { client.shutDown() }

    // Where no device shows any role, this is an error: nothing is known then.
    let devices = try await client.devices(matching: DeviceFilter(role: role))
    let states = try await client.status()
    for device in devices {
        let state = states.first { $0.hostname == device.hostname }?.state.name ?? "unknown"
        print(device.hostname, device.ip ?? "no address", state)
    }
    print("\(devices.count) of \(states.count) nodes have the role \(role)")
}

let words = CommandLine.arguments
guard words.count > 5 else {
    print("usage: nodes-with-role ROLE CA-FILE CERTIFICATE KEY HEAD-NODE ...")
    exit(2)
}
do {
    try await listNodes(with: words[1], words[2..<5], words[5...])
} catch  where error.code == .invalidConfiguration {
    print(error)
    exit(2)
} catch {
    // Which head node, what failed, and what to do.
    print(error)
    exit([.notReachable, .connectionLost, .timedOut, .unavailable].contains(error.code) ? 3 : 1)
}
