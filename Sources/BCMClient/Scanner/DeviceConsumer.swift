/// Feeds an answer to a scanner of devices.
final class DeviceConsumer: AnswerConsumer {
    private var scanner: DeviceScanner

    init(wanted: HostNameSet?) {
        scanner = DeviceScanner(wanted: wanted)
    }

    func consume(_ bytes: UnsafeRawBufferPointer) -> Bool { scanner.scan(bytes) }

    /// What was found, once the answer is over.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/notUnderstood`` when it is not the documented list.
    func result(from headNode: HeadNode) throws(BCMError) -> DeviceLookup {
        guard scanner.finish() else {
            throw BCMError(
                .notUnderstood, at: headNode,
                reason: "the answer is not BCM's list of devices: \(scanner.fault ?? "")",
                remedy: "check that CMDaemon is what listens there, and its version")
        }
        return DeviceLookup(
            matches: scanner.matches, deviceCount: scanner.deviceCount,
            devicesShowingRoles: scanner.devicesShowingRoles, headNode: headNode)
    }
}
