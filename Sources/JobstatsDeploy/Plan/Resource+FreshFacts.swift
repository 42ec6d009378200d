// Resources whose changes follow from what was on the host before the section began, whatever earlier steps do: their
// steps are carried out together.

extension FileResource {
    public var needsFreshFacts: Bool { false }
}

extension DirectoryResource {
    public var needsFreshFacts: Bool { false }
}

extension LinkResource {
    public var needsFreshFacts: Bool { false }
}

extension UserResource {
    public var needsFreshFacts: Bool { false }
}

extension ProgramResource {
    var needsFreshFacts: Bool { false }
}

extension OwnedUnitFile {
    var needsFreshFacts: Bool { false }
}

extension MarkerResource {
    var needsFreshFacts: Bool { false }
}

extension RetiredFileResource {
    public var needsFreshFacts: Bool { false }
}

extension PresentDirectory {
    var needsFreshFacts: Bool { false }
}

extension SelfTest {
    var needsFreshFacts: Bool { false }
}

extension CheckResource {
    public var needsFreshFacts: Bool { !isIndependent }
}

extension ReadableCheck {
    var needsFreshFacts: Bool { check.needsFreshFacts }
}
