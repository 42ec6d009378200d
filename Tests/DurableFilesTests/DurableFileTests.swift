import Glibc
import Testing

@testable import DurableFiles

struct DurableFileTests {
    private func temporaryDirectory() -> String {
        var template = Array("/tmp/durable-files.XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/nonexistent"
        }
    }

    @Test func contentIsReplacedAndNothingIsLeftBeside() throws {
        let folder = temporaryDirectory()
        defer { rmdir(folder) }
        let path = folder + "/state.json"
        try DurableFile.write(Array("one".utf8), to: path)
        try DurableFile.write(Array("two".utf8), to: path, mode: 0o600)
        #expect(try DurableFile.read(path) == Array("two".utf8))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        unlink(path)
        #expect(rmdir(folder) == 0, "something was left in the folder")
    }

    @Test func missingFileIsNilAndMissingFolderAnError() throws {
        #expect(try DurableFile.read("/tmp/no-such-file-here") == nil)
        let error = #expect(throws: DurableFileError.self) {
            try DurableFile.write([], to: "/tmp/no-such-folder-here/x")
        }
        #expect(error?.description == "cannot create /tmp/no-such-folder-here/x: No such file or directory")
    }

    @Test func fileBeyondTheLimitIsRefused() throws {
        #expect(throws: DurableFileError.self) { try DurableFile.read("/bin/bash", limit: 1000) }
    }
}
