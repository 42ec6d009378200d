import ServiceManager
import Testing

struct UnitNameTests {
    @Test(arguments: [
        "node_exporter.service", "cm-shared.mount", "-.mount", "-.slice", "getty@tty1.service", "getty@.service",
        "dev-disk-by\\x2did-a.device", "a.b.timer", "A:1.socket", "\(String(repeating: "a", count: 247)).service",
    ])
    func namesThatSystemdAcceptsAreAccepted(name: String) throws {
        #expect(try UnitName(name).description == name)
    }

    @Test(arguments: [
        "", ".service", "node_exporter", "node_exporter.exe", "a b.service", "a;reboot.service", "$(x).service",
        "a/b.service", "../a.service", "*.service", "[a].service", "a?.service", "a\n.service", "a\0.service",
        "--now.service",
        "-a.service", "@a.service", "\u{e4}.service", "a.service ", "\(String(repeating: "a", count: 248)).service",
    ])
    func otherNamesAreRefused(name: String) throws {
        let error = #expect(throws: ServiceError.self) { try UnitName(name) }
        #expect(error?.code == .invalidValue)
    }

    @Test func theRefusalQuotesTheNameAndSaysWhatToDo() throws {
        let error = #expect(throws: ServiceError.self) { try UnitName("a\nb.service") }
        #expect(
            error?.description == "invalid value: \"a\\nb.service\" is no unit name: it holds a character that is not "
                + "allowed; write it as in NAME.service")
    }

    @Test func stemAndTypeAreToldApart() throws {
        let name = try UnitName("a.b@c.d.timer")
        #expect(name.stem == "a.b@c.d")
        #expect(name.type == "timer")
        #expect(try UnitName("getty@.service").isTemplate)
        #expect(!name.isTemplate)
    }
}
