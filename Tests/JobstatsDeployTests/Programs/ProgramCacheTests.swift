import Glibc
import Testing

@testable import JobstatsDeploy

@Suite struct ProgramCacheTests {
    private let folder = TemporaryFolder()
    private var cache: ProgramCache { ProgramCache("\(folder.path)/cache") }

    private func keep(_ text: String) async throws -> DeploymentContext.LocalProgram {
        try await cache.withWorkFolder { work throws(ProgramProblem) in
            let stream = fopen("\(work)/file", "w")
            fputs(text, stream)
            fclose(stream)
            return try await cache.keep("\(work)/file")
        }
    }

    @Test func keptFileIsFoundByItsSumAndCanBeRun() async throws {
        let kept = try await keep("program")
        #expect(kept.sha256 == SHA256Digest.hex(Array("program".utf8)))
        #expect(await cache.object(kept.sha256) == kept)
        #expect(access(kept.path, X_OK) == 0)
        #expect(TemporaryFolder.names(in: "\(folder.path)/cache") == ["objects"])
    }

    @Test func fileWithAnotherSumThanPromisedIsNotKept() async throws {
        folder.write("file", "one")
        await #expect(throws: ProgramProblem.self) {
            try await cache.keep("\(folder.path)/file", expecting: SHA256Digest.hex(Array("two".utf8)))
        }
        #expect(TemporaryFolder.names(in: "\(folder.path)/cache/objects").isEmpty)
    }

    @Test func damagedFileIsThrownAway() async throws {
        let kept = try await keep("program")
        let stream = fopen(kept.path, "w")
        fputs("progran", stream)
        fclose(stream)
        #expect(await cache.object(kept.sha256) == nil)
        #expect(access(kept.path, F_OK) != 0)
    }

    @Test func whatWasMadeIsFoundByItsKeyWhileItIsWhole() async throws {
        let kept = try await keep("program")
        try cache.remember("built from x", kept.sha256)
        #expect(await cache.made("built from x") == kept)
        #expect(await cache.made("built from y") == nil)
        unlink(kept.path)
        #expect(await cache.made("built from x") == nil)
    }

    @Test func recordOfAnotherKeyIsNotBelieved() async throws {
        let kept = try await keep("program")
        try cache.remember("one", kept.sha256)
        let records = "\(folder.path)/cache/derived"
        rename(
            "\(records)/\(SHA256Digest.hex(Array("one".utf8)))", "\(records)/\(SHA256Digest.hex(Array("two".utf8)))")
        #expect(await cache.made("two") == nil)
    }

    @Test func workOfAKilledRunIsRemovedWhenItIsOldAndLeftWhenItIsYoung() async throws {
        _ = try await keep("program")
        for name in ["work.old", "work.young"] {
            mkdir("\(folder.path)/cache/\(name)", 0o700)
            fclose(fopen("\(folder.path)/cache/\(name)/file", "w"))
        }
        let past = [timeval(tv_sec: 1000, tv_usec: 0), timeval(tv_sec: 1000, tv_usec: 0)]
        #expect(utimes("\(folder.path)/cache/work.old", past) == 0)
        _ = try await keep("another")
        #expect(TemporaryFolder.names(in: "\(folder.path)/cache") == ["objects", "work.young"])
    }
}

extension TemporaryFolder {
    /// The names in a folder; none when there is no such folder.
    static func names(in path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
