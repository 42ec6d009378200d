import Glibc
import PromTargets
import Testing

/// A directory that somebody filled.
struct DirectoryLimitTests {
    private func groups(_ count: Int) throws -> [TargetGroup] {
        try (0..<count).map { _ in
            try TargetGroup(targets: ["dgx-01:9100"], labels: ["job": "node_exporter", "hostname": "dgx-01"])
        }
    }

    @Test func aFileFarLargerThanAnyTargetFileIsTakenForNone() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        try put(
            String(decoding: TargetGroup.encode(groups(1000)), as: UTF8.self), at: "\(temporary.path)/dgx-01.json")
        let entry = try #require(try TargetDirectory(path: temporary.path).entries().first)
        #expect(entry.groups == nil)
        #expect(entry.fault == "it has more than 65536 bytes")
    }

    @Test func aContentThatCouldNotBeReadBackIsNotWritten() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = TargetDirectory(path: temporary.path)
        #expect(throws: PromTargetsError(.tooLarge, reason: "", remedy: "")) {
            try directory.write(groups(1000), named: "dgx-01")
        }
        #expect(try entries(temporary.path).isEmpty)
    }

    @Test func moreFilesThanAFleetHasAreAnErrorThatNamesTheDirectoryAndTheNumber() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        for number in 0...20_000 { close(creat("\(temporary.path)/n-\(number).json", 0o644)) }
        let directory = TargetDirectory(path: temporary.path)
        let error = #expect(throws: PromTargetsError.self) { try directory.entries() }
        #expect(error?.code == .tooLarge)
        #expect(error?.path == temporary.path)
        #expect(error?.reason.contains("20000") == true, "\(String(describing: error))")
        #expect(throws: PromTargetsError(.tooLarge, reason: "", remedy: "")) { try directory.names() }
        // One of a node is looked at as before.
        try directory.write(groups(3), named: "dgx-01")
        #expect(try directory.entry(named: "dgx-01")?.groups == groups(3))
    }

    @Test func filesThatHoldTooMuchTogetherAreAnErrorThatNamesTheDirectoryAndTheSum() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let content = String(repeating: "x", count: 60_000)
        for number in 0..<600 { try put(content, at: "\(temporary.path)/n-\(number).json") }
        let error = #expect(throws: PromTargetsError.self) { try TargetDirectory(path: temporary.path).entries() }
        #expect(error?.code == .tooLarge)
        #expect(error?.path == temporary.path)
        #expect(error?.reason.contains("33554432") == true, "\(String(describing: error))")
    }

    @Test func aFaultOfAFileIsToldInFewWordsWhateverItHolds() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let long = String(repeating: "x", count: 60_000)
        try put(#"[{"targets": ["\#(long)"]}]"#, at: "\(temporary.path)/a.json")
        try put(#"[{"targets": [], "labels": {"9\#(long)": "1"}}]"#, at: "\(temporary.path)/b.json")
        try put(#"[{"targets": [], "labels": {"\#(long)": 1}}]"#, at: "\(temporary.path)/c.json")
        for entry in try TargetDirectory(path: temporary.path).entries() {
            let fault = try #require(entry.fault)
            #expect(fault.utf8.count < 400, "\(entry.fileName): \(fault.utf8.count)")
        }
    }

    @Test func aFleetOfTenThousandIsReadAndListed() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        for number in 0..<10_000 { try put("[]\n", at: "\(temporary.path)/dgx-\(number).json") }
        let directory = TargetDirectory(path: temporary.path)
        #expect(try directory.entries().count == 10_000)
        #expect(try directory.names().count == 10_000)
    }
}
