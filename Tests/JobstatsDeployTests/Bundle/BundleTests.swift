import CommandExecution
import Glibc
import Testing

@testable import JobstatsDeploy

/// Bundles as they are made and read, with real archives, a real repository and a real server.
@Suite struct BundleTests {
    private let folder = TemporaryFolder()

    private struct Site {
        var configuration: DeploymentConfiguration
        var maker: BundleMaker
    }

    private func shell(_ script: String, _ arguments: String...) async throws -> String {
        let result = try await LocalExecutor().run(
            Command("sh", ["-euc", script, "sh", folder.path] + arguments, timeout: .seconds(60)))
        try #require(result.succeeded, "\(result.errorText)")
        return result.outputText.trimmed
    }

    /// A site with a release, a file, a package's program that is installed, and jobstats from a repository.
    private func withSite(_ body: (Site) async throws -> Void) async throws {
        let revision = try await shell(
            """
            cd "$1"
            printf prometheus >prometheus
            tar -czf served prometheus
            mkdir programs repo
            for name in guided-setup bcm-role-monitor; do printf '%s' "$name" >"programs/$name"; done
            cd repo
            git init -q .
            printf jobstats >jobstats
            git add -A
            git -c user.name=x -c user.email=x@example.org commit -qm x
            git rev-parse HEAD
            """)
        let server = try await FileServer(serving: "\(folder.path)/served")
        let sum = try #require(await SHA256Digest.file("\(folder.path)/served")?.sum)
        let file = folder.write("node_exporter", "node_exporter")
        let configuration = makeConfiguration {
            $0.artifacts[.prometheus] = ArtifactSources(
                .release(server.url("/whole"), sha256: sum, member: "prometheus"))
            $0.artifacts[.nodeExporter] = ArtifactSources(
                .file(path: file, sha256: SHA256Digest.hex(Array("node_exporter".utf8))))
            $0.artifacts[.promtool] = ArtifactSources(.package("coreutils", binary: "/usr/bin/env"))
            $0.artifacts[.jobstats] = ArtifactSources(.git("\(folder.path)/repo", revision: revision))
        }
        var maker = BundleMaker(
            directory: "\(folder.path)/cache", programDirectory: "\(folder.path)/programs")
        maker.leftOut = ["cgroup_exporter", "nvidia_gpu_exporter"]
        maker.withoutPackages = true
        try await body(Site(configuration: configuration, maker: maker))
        await server.stop()
    }

    private func reader(_ path: String, cache: String = "other", expected: String? = nil) -> BundleReader {
        BundleReader(
            executor: LocalExecutor(), cache: ProgramCache("\(folder.path)/\(cache)"), path: path, expected: expected)
    }

    private func refusal(_ path: String, expected: String? = nil) async -> String {
        do {
            _ = try await reader(path, expected: expected).take()
            return "accepted"
        } catch {
            return error.description
        }
    }

    // MARK: There and back

    @Test(arguments: ["bundle", "bundle.tar"])
    func everythingIsFoundOfflineFromABundleAlone(_ name: String) async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/\(name)", for: site.configuration)
            // The file is named for every architecture.
            #expect(report.programs.count == 5)
            // Nothing of what it was made from is there any more.
            _ = try await shell(#"cd "$1"; rm -rf cache served repo node_exporter"#)
            _ = try await reader(report.path, expected: report.indexSHA256).take()
            let finder = ProgramFinder(
                directory: "\(folder.path)/other", programDirectory: "\(folder.path)/programs", access: .offline)
            let found = await finder.find(for: site.configuration, sections: [4, 6, 9, 10])
            #expect(found.issues.isEmpty, "\(found.issues)")
            let local = ProgramFinder.localArchitecture
            #expect(found.programs[.prometheus]?[local]?.sha256 == SHA256Digest.hex(Array("prometheus".utf8)))
            #expect(found.programs[.nodeExporter]?[local]?.sha256 == SHA256Digest.hex(Array("node_exporter".utf8)))
            let tar = try #require(found.programs[.jobstats]?[.arm])
            #expect(try await shell(#"tar -xOf "$2" jobstats"#, tar.path) == "jobstats")
        }
    }

    @Test func bundleHoldsTheArchiveThatThePinIsForAndThisProjectsPrograms() async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/bundle", for: site.configuration)
            let sum = try #require(await SHA256Digest.file("\(folder.path)/served")?.sum)
            #expect(TemporaryFolder.names(in: "\(report.path)/objects").contains(sum))
            #expect(TemporaryFolder.names(in: "\(report.path)/setup") == ["bcm-role-monitor", "guided-setup"])
            #expect(access("\(report.path)/setup/guided-setup", X_OK) == 0)
            #expect(report.remarks.contains { $0.hasPrefix("deploy-role-monitor is not in it") })
        }
    }

    @Test func twoBundlesOfTheSameAreTheSame() async throws {
        try await withSite { site in
            let one = try await site.maker.make("\(folder.path)/one.tar", for: site.configuration)
            let two = try await site.maker.make("\(folder.path)/two.tar", for: site.configuration)
            #expect(one.indexSHA256 == two.indexSHA256)
        }
    }

    @Test func whatIsThereAlreadyIsNotOverwrittenAndAFailureLeavesNothing() async throws {
        try await withSite { site in
            folder.write("bundle", "mine")
            await #expect(throws: BundleMaker.Failure.self) {
                _ = try await site.maker.make("\(folder.path)/bundle", for: site.configuration)
            }
            #expect(folder.read("bundle") == "mine")
            var configuration = site.configuration
            configuration.artifacts[.nodeExporter] = ArtifactSources(
                .file(path: "/nonexistent/x", sha256: String(repeating: "0", count: 64)))
            do {
                _ = try await site.maker.make("\(folder.path)/new.tar", for: configuration)
                Issue.record("a bundle without one of its programs")
            } catch {
                #expect("\(error)".contains("artifacts.node_exporter"))
                #expect("\(error)".contains("--without NAME"))
            }
            #expect(!folder.names.contains { $0.hasPrefix("new.tar") })
        }
    }

    // MARK: Bundles that are not to be trusted

    @Test func anotherIndexThanTheOneThatWasPrintedIsRefused() async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/bundle", for: site.configuration)
            let words = await refusal(report.path, expected: String(repeating: "0", count: 64))
            #expect(words.contains(report.indexSHA256) && words.contains("it is another bundle"))
            #expect(TemporaryFolder.names(in: "\(folder.path)/other").isEmpty)
        }
    }

    @Test(arguments: ["bundle", "bundle.tar"])
    func changedFileIsRefused(_ name: String) async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/\(name)", for: site.configuration)
            _ = try await shell(
                """
                cd "$1"
                case $2 in *.tar) mkdir t; tar -xf bundle.tar -C t; cd t ;; *) cd bundle ;; esac
                for file in objects/*; do printf changed >"$file"; done
                case $2 in *.tar) tar -cf ../bundle.tar index.json objects setup ;; esac
                """, name)
            #expect(await refusal(report.path).contains("has another SHA-256: it is damaged, or was changed"))
        }
    }

    /// Python's tarfile writes what tar(1) itself would not.
    @Test(arguments: [
        ("../evil", "add('../evil')"), ("absolute path", "add('/tmp/jobstats-evil')"),
        ("inside and out again", "add('objects/../../evil')"),
        ("symbolic link", "add(taken, kind=tarfile.SYMTYPE, link='/etc/passwd', last=False)"),
        ("hard link", "add(taken, kind=tarfile.LNKTYPE, link='/etc/passwd', last=False)"),
        ("device", "add(taken, kind=tarfile.CHRTYPE, last=False)"),
        ("link for a folder", "add('objects', kind=tarfile.SYMTYPE, link='/tmp', last=False)"),
        ("name with a line end", "add('a\\nobjects/')"), ("second of a name", "add('index.json')"),
        ("file that the index lacks", "add('objects/' + '0' * 64)"),
    ])
    func hostileArchiveIsRefusedAsAWhole(_ what: String, _ change: String) async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/bundle.tar", for: site.configuration)
            let python = """
                import io, sys, tarfile
                old = tarfile.open(sys.argv[1])
                new = tarfile.open(sys.argv[2], 'w')
                taken = next(m.name for m in old if m.name.startswith('objects/'))
                dropped = []
                more = []
                def add(name, kind=tarfile.REGTYPE, link='', last=True):
                    info = tarfile.TarInfo(name)
                    info.type, info.linkname, info.size = kind, link, 4 if kind == tarfile.REGTYPE else 0
                    if not last: dropped.append(name)
                    more.append(info)
                \(change)
                for info in more:
                    if info.name in dropped: new.addfile(info)
                for info in old:
                    if info.name not in dropped: new.addfile(info, old.extractfile(info) if info.isfile() else None)
                for info in more:
                    if info.name not in dropped: new.addfile(info, io.BytesIO(b'evil'))
                new.close()
                """
            _ = try await shell(#"python3 -c "$4" "$2" "$3""#, report.path, "\(folder.path)/evil.tar", python)
            let words = await refusal("\(folder.path)/evil.tar")
            #expect(words.hasPrefix("the bundle \(folder.path)/evil.tar is refused: "), "\(what): \(words)")
            #expect(TemporaryFolder.names(in: "\(folder.path)/other/objects").isEmpty)
            #expect(access("\(folder.path)/evil", F_OK) != 0 && access("/tmp/jobstats-evil", F_OK) != 0)
        }
    }

    @Test func linkInAFolderIsRefused() async throws {
        try await withSite { site in
            let report = try await site.maker.make("\(folder.path)/bundle", for: site.configuration)
            _ = try await shell(
                #"cd "$1/bundle/objects"; for file in *; do cp "$file" "../../$file"; ln -sf "../../$file" "$file"; done"#
            )
            #expect(await refusal(report.path).contains("is missing, or a link"))
        }
    }

    @Test func whatIsNoBundleIsSaid() async throws {
        #expect(await refusal("/nonexistent/b.tar").contains("No such file or directory"))
        #expect(await refusal(folder.write("text", "text")).contains("is no bundle: it holds no index.json"))
        mkdir("\(folder.path)/empty", 0o700)
        #expect(await refusal("\(folder.path)/empty").contains("is no bundle: it holds no index.json"))
        #expect(await refusal("/dev/null").contains("neither a folder nor a file"))
    }
}
