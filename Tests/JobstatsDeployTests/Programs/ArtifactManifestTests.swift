import Testing

@testable import JobstatsDeploy

@Suite struct ArtifactManifestTests {
    private let entries = ArtifactManifest.standard.entries

    @Test func everyProgramButOursAndGrafanaIsInIt() {
        let without: Set<ArtifactSource.Name> = [.roleMonitor, .grafana]
        #expect(Set(entries.keys) == Set(ArtifactSource.Name.all).subtracting(without))
    }

    @Test func everyEntryHasASourceForEachArchitectureAndSaysItsLicence() {
        for (name, entry) in entries {
            for architecture in ArtifactSource.Architecture.all {
                #expect(entry.sources[architecture] != nil, "\(name) \(architecture)")
            }
            #expect(["Apache-2.0", "GPL-2.0"].contains(entry.licence))
            #expect(entry.home.hasPrefix("https://github.com/"))
        }
    }

    @Test func releasesAreFetchedByHTTPSFromTheHomeOfTheProgramAndInThisVersion() {
        for (name, entry) in entries {
            for architecture in ArtifactSource.Architecture.all {
                guard case .release(let url, _, let member)? = entry.sources[architecture]?.location else { continue }
                #expect(url.hasPrefix("\(entry.home)/releases/download/v\(entry.version)/"))
                #expect(url.contains(architecture == .arm ? "arm64" : "amd64"))
                #expect(member?.hasSuffix("/\(name)") == true)
            }
        }
    }

    @Test func manifestWithAnythingWrongIsNone() {
        for text in [
            "", "[]", #"{"x": {}}"#, #"{"prometheus": {"version": "1", "licence": "x", "home": "y"}}"#,
            #"{"prometheus": {"version": "1", "licence": "x", "home": "y", "source": {"url": "https://a.b/c"}}}"#,
            #"{"prometheus": {"version": "1", "licence": "x", "home": "y", "source": {"package": "p", "binary": "/b", "x": 1}}}"#,
        ] {
            #expect(ArtifactManifest(parsing: Array(text.utf8)) == nil, "\(text)")
        }
    }
}
