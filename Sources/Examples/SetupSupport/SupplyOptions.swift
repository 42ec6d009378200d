public import ArgumentParser
public import JobstatsDeploy

/// The options that say where programs and packages come from on a site without internet.
public struct SupplyOptions: ParsableArguments {
    /// Fetch nothing.
    @Flag(help: "Fetch nothing; what is not on this machine is an error that says what to do.")
    public var offline = false
    /// A bundle.
    @Option(
        help: ArgumentHelp(
            "A bundle (folder or tar file) that everything comes from.", valueName: "file"))
    public var bundle: String?
    /// The digest of the bundle's index.
    @Option(
        name: .customLong("bundle-sha256"),
        help: ArgumentHelp("The SHA-256 of the bundle's index, as printed when it was made.", valueName: "digest"))
    public var bundleSHA256: String?

    /// Creates the options.
    public init() {}

    /// Refuses what makes no sense.
    public func validate() throws {
        if bundleSHA256 != nil, bundle == nil { throw ValidationError("--bundle-sha256 needs --bundle.") }
    }

    /// Puts them into the options of a setup.
    public func apply(to options: inout SetupOptions) {
        options.isOffline = offline || bundle != nil
        options.bundle = bundle
        options.bundleSHA256 = bundleSHA256?.lowercased()
    }
}
