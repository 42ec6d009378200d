import FoundationEssentials
import Glibc
import PromTargets
import Testing

struct TargetDirectoryTests {
    private func groups(_ port: Int = 9100) throws -> [TargetGroup] {
        [try TargetGroup(targets: ["dgx-01:\(port)"], labels: ["job": "node_exporter", "hostname": "dgx-01"])]
    }

    private func identity(_ path: String) throws -> [UInt64] {
        var status = stat()
        #expect(lstat(path, &status) == 0)
        return [UInt64(status.st_ino), UInt64(status.st_mtim.tv_sec), UInt64(status.st_mtim.tv_nsec)]
    }

    @Test func aWrittenFileIsReadBackListedAndRemoved() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        #expect(try directory.read(named: "dgx-01") == nil)
        #expect(try directory.write(groups(), named: "dgx-01") == .written)
        #expect(try directory.read(named: "dgx-01") == groups())
        #expect(try directory.filePath(named: "dgx-01") == "\(path)/dgx-01.json")
        #expect(try entries(path) == ["dgx-01.json"])
        #expect(try directory.names() == ["dgx-01"])
        #expect(try directory.remove(named: "dgx-01"))
        #expect(try !directory.remove(named: "dgx-01"))
        #expect(try entries(path).isEmpty)
    }

    @Test func sameContentCausesNoWriteAndOtherContentReplaces() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        try directory.write(groups(), named: "dgx-01")
        var before = stat()
        stat(path, &before)
        let file = try identity("\(path)/dgx-01.json")
        #expect(try directory.write(groups(), named: "dgx-01") == .unchanged)
        #expect(try identity("\(path)/dgx-01.json") == file)
        var after = stat()
        stat(path, &after)
        #expect(before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
        #expect(try directory.write(groups(9306), named: "dgx-01") == .written)
        #expect(try identity("\(path)/dgx-01.json") != file)
        #expect(try directory.read(named: "dgx-01") == groups(9306))
    }

    @Test(arguments: ["", "[", "[]\n", String(repeating: "x", count: 4 << 20)])
    func aDamagedFileIsHealed(damage: String) async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        try put(damage, at: "\(path)/dgx-01.json")
        #expect(try directory.write(groups(), named: "dgx-01") == .written)
        #expect(try directory.read(named: "dgx-01") == groups())
    }

    @Test(arguments: [0o600, 0o666, 0o000, 0o664] as [mode_t])
    func aFileThatPrometheusCannotReadOrOthersCanWriteIsReplaced(bits: mode_t) async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        try directory.write(groups(), named: "dgx-01")
        chmod("\(path)/dgx-01.json", bits)
        #expect(try directory.write(groups(), named: "dgx-01") == .written)
        #expect(mode("\(path)/dgx-01.json") == 0o644)
    }

    @Test func aSymbolicLinkIsReplacedAndNotFollowed() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        let content = String(decoding: TargetGroup.encode(try groups()), as: UTF8.self)
        try put(content, at: "\(path)/elsewhere")
        #expect(symlink("\(path)/elsewhere", "\(path)/dgx-01.json") == 0)
        let error = #expect(throws: PromTargetsError.self) { try directory.read(named: "dgx-01") }
        #expect(error?.code == .damaged)
        // Even though what it points to is what would be written.
        #expect(try directory.write(groups(), named: "dgx-01") == .written)
        #expect(contents("\(path)/elsewhere") == Array(content.utf8))
        var status = stat()
        #expect(lstat("\(path)/dgx-01.json", &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    }

    @Test func aFifoOrDirectoryInTheWayIsAnErrorAndNeverBlocks() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        #expect(mkfifo("\(path)/fifo.json", 0o600) == 0)
        #expect(throws: PromTargetsError(.damaged, reason: "", remedy: "")) { try directory.read(named: "fifo") }
        #expect(try directory.write(groups(), named: "fifo") == .written)
        #expect(mkdir("\(path)/folder.json", 0o755) == 0)
        #expect(throws: PromTargetsError(.damaged, reason: "", remedy: "")) { try directory.read(named: "folder") }
        #expect(throws: PromTargetsError(.damaged, reason: "", remedy: "")) {
            try directory.write(groups(), named: "folder")
        }
        #expect(throws: PromTargetsError(.damaged, reason: "", remedy: "")) {
            try directory.remove(named: "folder")
        }
        // Nothing is left behind.
        #expect(try entries(path) == ["fifo.json", "folder.json"])
    }

    @Test(arguments: [
        "", ".", "..", ".hidden", "a/b", "../dgx-01", "/etc/passwd", "dgx 01", "dgx-01\n", "dgx-01\0", "$(x)", "-rf",
        "a..b",
        "\(String(repeating: "a.", count: 126))a",
    ])
    func namesThatAreNoHostNamesReachNoFile(name: String) async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        let invalid = PromTargetsError(.invalidName, reason: "", remedy: "")
        #expect(throws: invalid) { try directory.write(groups(), named: name) }
        #expect(throws: invalid) { try directory.read(named: name) }
        #expect(throws: invalid) { try directory.remove(named: name) }
        #expect(try entries(path).isEmpty)
    }

    @Test func onlyTargetFilesOfHostsAreListed() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        for name in ["b.json", "a.example.json", ".c.json", "d.txt", "e_f.json", ".json", ".prom-targets-1.tmp"] {
            try put("", at: "\(path)/\(name)")
        }
        #expect(try TargetDirectory(path: path).names() == ["a.example", "b"])
    }

    @Test func leftoversOlderThanAnHourAreRemovedAndOthersStay() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let now = Int(Date().timeIntervalSince1970)
        for (name, age) in [
            (".prom-targets-1.tmp", 3700), (".prom-targets-2.tmp", 3500), (".prom-targets-3", 9000),
            ("x.tmp", 9000),
        ] {
            try put("", at: "\(path)/\(name)")
            let time = timespec(tv_sec: now - age, tv_nsec: 0)
            #expect(utimensat(AT_FDCWD, "\(path)/\(name)", [time, time], 0) == 0)
        }
        try TargetDirectory(path: path).write(groups(), named: "dgx-01")
        #expect(try entries(path) == [".prom-targets-2.tmp", ".prom-targets-3", "dgx-01.json", "x.tmp"])
    }

    @Test func readersSeeOnlyWholeFilesWhileWritersRace() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        let directory = TargetDirectory(path: path)
        let contents = try (1...4).map { count in
            try (1...(count * 200)).map {
                try TargetGroup(targets: ["dgx-01:\($0)"], labels: ["writer": "\(count)"])
            }
        }
        try directory.write(contents[0], named: "dgx-01")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for content in contents {
                group.addTask { for _ in 0..<25 { try directory.write(content, named: "dgx-01") } }
            }
            group.addTask {
                for _ in 0..<100 {
                    let seen = try directory.read(named: "dgx-01")
                    #expect(contents.contains { $0 == seen })
                }
            }
            try await group.waitForAll()
        }
        #expect(try entries(path) == ["dgx-01.json"])
    }

    @Test func aFilePastTheLimitIsNotRead() async throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let path = temporary.path
        try put("[" + String(repeating: " ", count: TargetDirectory.sizeLimit) + "]", at: "\(path)/dgx-01.json")
        #expect(throws: PromTargetsError(.tooLarge, reason: "", remedy: "")) {
            try TargetDirectory(path: path).read(named: "dgx-01")
        }
    }
}
