package import BCMClient

extension MonitorConfiguration {
    /// Whether head nodes are trusted by the first key they show: with neither a CA nor pins.
    package var trustsFirstUse: Bool { !isInsecure && authorityFile == nil && pinnedKeys.isEmpty }

    /// What a client needs to ask BCM this way.
    ///
    /// - Parameter knownKeys: with trust on first use, the keys seen before.
    package func clientConfiguration(
        knownKeys: [HeadNode: PublicKeyPin]
    ) throws(BCMError) -> RESTClient.Configuration {
        var nodes: [HeadNode] = []
        for name in headNodes { nodes.append(try HeadNode(parsing: name, defaultPort: port)) }
        let trust: ServerTrust
        if isInsecure {
            trust = .insecure
        } else if let authorityFile {
            trust = .authority(file: authorityFile)
        } else if !pinnedKeys.isEmpty {
            var pins: Set<PublicKeyPin> = []
            for pin in pinnedKeys { pins.insert(try PublicKeyPin(parsing: pin)) }
            trust = .pinnedKeys(pins)
        } else {
            trust = .firstUse(known: knownKeys)
        }
        return RESTClient.Configuration(
            headNodes: nodes, certificateFile: certificateFile, keyFile: keyFile, trust: trust,
            verifiesHostname: verifiesHostname, connectTimeout: min(.seconds(5), requestTimeout),
            requestTimeout: requestTimeout)
    }
}
