// What of a resource belongs into a software image. Those that are not named here belong to running hosts alone.

extension FileResource {
    public var imageForm: (any Resource)? { self }
}

extension DirectoryResource {
    public var imageForm: (any Resource)? { self }
}

extension LinkResource {
    public var imageForm: (any Resource)? { self }
}

extension UserResource {
    public var imageForm: (any Resource)? { self }
}

extension PackageResource {
    public var imageForm: (any Resource)? { self }
}

extension AbsentFileResource {
    public var imageForm: (any Resource)? { self }
}

extension RetiredFileResource {
    public var imageForm: (any Resource)? { self }
}

extension CheckResource {
    public var imageForm: (any Resource)? { concernsImages ? self : nil }
}

extension UnitResource {
    /// Whether it starts at boot; nil where that is left as found.
    public var imageForm: (any Resource)? { isEnabled.map { UnitEnablement(name, enabled: $0) } }
}

extension ProgramResource {
    var imageForm: (any Resource)? { self }
}

extension OwnedUnitFile {
    var imageForm: (any Resource)? { self }
}

extension PresentDirectory {
    var imageForm: (any Resource)? { self }
}
