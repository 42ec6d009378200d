/// Where a session stands: a mode, an object in it, or one of the object's own lists.
enum CmshPlace: Hashable {
    case main
    case mode(Mode)
    case object(Mode, String)
    case roles(Mode, String)
    case role(Mode, String, String)
    case services(Mode, String)
    case service(Mode, String, String)
    case cgroups(String)

    /// The modes that are known here.
    enum Mode: String, CaseIterable {
        case device, category, configurationoverlay, softwareimage, wlm, profile, cert, cmha, partition

        /// The objects of the mode; nil for modes with commands alone.
        var type: (any CmshObject.Type)? {
            switch self {
            case .device: Node.self
            case .category: Category.self
            case .configurationoverlay: Overlay.self
            case .softwareimage: SoftwareImage.self
            case .wlm: WorkloadManager.self
            case .profile: Profile.self
            case .cert, .cmha, .partition: nil
            }
        }

        var hasRoles: Bool { self == .device || self == .category || self == .configurationoverlay }
        var hasServices: Bool { self == .device || self == .category }
    }

    /// The place that `exit` leads to.
    var parent: CmshPlace {
        switch self {
        case .main, .mode: .main
        case .object(let mode, _): .mode(mode)
        case .roles(let mode, let name), .services(let mode, let name): .object(mode, name)
        case .role(let mode, let name, _): .roles(mode, name)
        case .service(let mode, let name, _): .services(mode, name)
        case .cgroups(let name): .object(.wlm, name)
        }
    }
}
