extension Cmsh {
    /// Makes a certificate and its key, as files on the head node. It takes effect at once, without a commit.
    ///
    /// - Throws: ``BCMError`` with the code ``BCMError/Code/invalidConfiguration`` for a request that cannot be made, and
    ///   the errors of ``run(_:)``.
    public func createCertificate(_ request: CertificateRequest) async throws(BCMError) {
        func refuse(_ reason: String) -> BCMError {
            BCMError(.invalidConfiguration, reason: reason, remedy: "correct the request for a certificate")
        }
        for file in [request.keyFile, request.certificateFile] where !file.hasPrefix("/") {
            throw refuse("\(quoted(file)) is not an absolute path")
        }
        guard request.days > 0 else { throw refuse("a certificate cannot be valid for \(request.days) days") }
        guard (1024...16_384).contains(request.bits) else { throw refuse("a key cannot have \(request.bits) bits") }
        guard request.organisation.count == 5 else {
            throw refuse("organisation, unit, locality, state and country are five texts, empty where unused")
        }
        _ = try await run([
            ["cert"],
            ["createcertificate", "\(request.bits)", try CmshScript.name(request.commonName, "certificate")]
                + request.organisation
                + [
                    try CmshScript.name(request.profile, "profile"), request.systemLogin, "\(request.days)",
                    request.keyFile, request.certificateFile,
                ],
        ])
    }

    /// The certificates that BCM has issued.
    public func certificates() async throws(BCMError) -> [IssuedCertificate] {
        let table = try await table([["cert"], ["listcertificates"]])
        return table.rows.compactMap { row in
            func value(_ word: String) -> String? {
                row.first { !$0.key.pieces(between: word).dropFirst().isEmpty }?.value
            }
            guard let serial = value("serial"), !serial.isEmpty else { return nil }
            let revoked = value("revoked")?.lowercased()
            return IssuedCertificate(
                serial: serial, name: row["common name"] ?? row["name"] ?? "", profile: value("profile"),
                daysLeft: value("days").flatMap { Int($0) }, isRevoked: revoked.map { $0 == "yes" || $0 == "true" },
                columns: row)
        }
    }

    /// Revokes a certificate.
    public func revokeCertificate(serial: String) async throws(BCMError) {
        _ = try await run([["cert"], ["revokecertificate", try CmshScript.name(serial, "certificate")]])
    }

    /// The names of the profiles.
    public func profiles() async throws(BCMError) -> [String] {
        try await table([["profile"], ["list"]]).rows.compactMap { $0["name"] }.filter { !$0.isEmpty }
    }

    /// Adds a profile with these tokens and commits.
    ///
    /// - Parameters:
    ///   - name: the new profile's name.
    ///   - tokens: what it may do, such as `GET_DEVICE_TOKEN`.
    ///   - nonUser: whether it is for programs and not for people.
    public func addProfile(_ name: String, tokens: [String], nonUser: Bool = true) async throws(BCMError) {
        var commands = [["profile"], ["add", try CmshScript.name(name, "profile")]]
        for token in tokens { commands.append(["append", "tokens", try CmshScript.name(token, "token")]) }
        commands.append(["set", "nonuser", nonUser ? "yes" : "no"])
        commands.append(["commit"])
        _ = try await run(commands)
    }

    /// What a profile may do, as the tokens that it has.
    public func tokens(ofProfile name: String) async throws(BCMError) -> [String] {
        try await values(of: "tokens", of: .profile(name))
    }

    /// Removes a profile and commits.
    public func removeProfile(_ name: String) async throws(BCMError) {
        _ = try await run([["profile"], ["remove", try CmshScript.name(name, "profile")], ["commit"]])
    }
}
