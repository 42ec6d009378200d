import Testing

@testable import JobstatsDeploy

struct HostListEditorTests {
    @Test(arguments: [
        ("", HostListEditor.Request.keep),
        ("keep", .keep),
        ("?", .explain),
        ("clear", .change([])),
        ("add dgx-05 dgx-[07-08],x", .change(["dgx-[01-04]", "mon-01", "dgx-05", "dgx-[07-08]", "x"])),
        ("SET a,b c", .change(["a", "b", "c"])),
        ("remove mon-01", .change(["dgx-[01-04]"])),
        ("remove dgx-02", .change(["dgx-[01,03-04]", "mon-01"])),
        ("remove dgx-[01-04] mon-01", .change([])),
        ("remove dgx-09", .refuse("Not in the list: \"dgx-09\".")),
        ("bcm", .bcm(kind: nil, name: nil)),
        ("bcm Role slurmclient", .bcm(kind: "role", name: "slurmclient")),
    ]) func lineChangesTheList(_ line: String, _ request: HostListEditor.Request) {
        #expect(HostListEditor.request(line, on: ["dgx-[01-04]", "mon-01"]) == request)
    }

    @Test(arguments: ["dgx-01", "add", "remove", "bcm role", "bcm rack r1", "rm dgx-01", "remove ]x[", "; reboot"])
    func lineThatIsNotUnderstoodChangesNothing(_ line: String) {
        guard case .refuse = HostListEditor.request(line, on: ["dgx-01"]) else {
            Issue.record("\(line) was followed")
            return
        }
    }
}
