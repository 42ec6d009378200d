import BCMClient

/// Reads a certificate, and asks a head node that does not answer.
let file = CommandLine.arguments[1]
let certificate = try Certificate.read(file: "\(file)/cert.pem")
print(certificate.subject)
print("key belongs:", try Certificate.key("\(file)/cert.key", belongsTo: "\(file)/cert.pem"))

let headNode = try HeadNode(parsing: "127.0.0.1:1")
let client = try RESTClient(
    configuration: .init(headNodes: [headNode], trust: .pinnedKeys([certificate.publicKeyPin])),
    logger: .init(label: "use-BCMClient"))
do {
    _ = try await client.lookUp(["dgx-01"])
} catch {
    print(headNode, error.code)
}
client.shutDown()
