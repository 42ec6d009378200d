import CommandExecution
import Testing

@testable import BCMClient

struct CmshImagesTests {
    private func cmsh(_ output: String) -> Cmsh {
        Cmsh(
            executor: RecordingExecutor { _ throws(CommandError) in
                CommandResult(status: .exited(0), standardOutput: Array(output.utf8))
            })
    }

    @Test(arguments: [
        #"[{"hostname (key)": "dgx-01", "softwareimage": "dgx-image"}, {"hostname (key)": "dgx-02", "softwareimage": ""}]"#,
        #"[{"hostname (key)": "dgx-01", "Software image": "dgx-image (category:dgx)"}]"#,
        """
        hostname (key)   softwareimage
        ---------------- -----------------------
        dgx-01           dgx-image (category:dgx)
        """,
    ])
    func theImageOfEachNodeIsReadWhoeverGivesIt(_ output: String) async throws {
        #expect(try await cmsh(output).softwareImagesByNode() == ["dgx-01": "dgx-image"])
    }

    @Test func theFolderOfAnImageIsReadAndAnythingElseIsRefused() async throws {
        #expect(try await cmsh("/cm/images/dgx-image\n").softwareImagePath("dgx-image") == "/cm/images/dgx-image")
        for bad in ["/", "relative", "", "/cm/images/../../etc", "/a\n/b"] {
            await #expect(throws: BCMError.self, "\(bad)") { try await cmsh(bad).softwareImagePath("dgx-image") }
        }
    }

    @Test(arguments: ["a; quit", "", "a\"b", "a\nb", "$(x)"])
    func aHostileNameOfAnImageReachesNoCmsh(_ name: String) async throws {
        await #expect(throws: BCMError.self) { try await cmsh("/cm/images/x").softwareImagePath(name) }
    }
}
