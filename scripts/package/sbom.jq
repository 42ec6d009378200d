# A software bill of materials, SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3), as JSON.
# Input: Package.resolved. Arguments: $version, $commit, $created, $swift, $licences ({identity: SPDX expression}),
# $libraries ([{name, least, licence}]), $files ([{name, sha1, sha256}]).

def id: "SPDXRef-" + gsub("[^A-Za-z0-9.-]"; "-");
def package($name; $version; $licence; $home):
    {
        SPDXID: ($name | id), name: $name, versionInfo: $version, downloadLocation: "NOASSERTION", filesAnalyzed: false,
        licenseConcluded: $licence, licenseDeclared: $licence, copyrightText: "NOASSERTION"
    } + (if $home then {homepage: $home} else {} end);

("bcm-jobstats" | id) as $ours
| [.pins[] | package(.identity; .state.version; $licences[.identity] // "NOASSERTION"; .location)
    + {
        downloadLocation: "git+\(.location)@\(.state.revision)",
        supplier: "Organization: \(.location | capture("github\\.com/(?<owner>[^/]+)/").owner)",
        externalRefs: [{
            referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
            referenceLocator: "pkg:swift/\(.location | sub("^https://"; "") | sub("\\.git$"; ""))@\(.state.version)"
        }]
    }] as $packages
| [package("swift-runtime"; $swift; "Apache-2.0 WITH Swift-exception"; "https://www.swift.org")
    + {
        supplier: "Organization: swiftlang",
        comment: "Linked into each program: the standard library, concurrency, Dispatch, FoundationEssentials."
    }] as $runtime
| [$libraries[] | package(.name; ">= \(.least)"; .licence; null)
    + {supplier: "NOASSERTION", comment: "Not part of the packages: the host's, found when a program starts."}] as $shared
| [$files[] | {
    SPDXID: ("File-" + .name | id), fileName: "./bin/\(.name)", fileTypes: ["BINARY"], licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: ["NOASSERTION"], copyrightText: "NOASSERTION",
    checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}]
}] as $programs
| {
    spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", name: "bcm-jobstats-\($version)",
    documentNamespace: "https://example.org/bcm-jobstats/spdx/\($version)-\($commit)",
    creationInfo: {created: $created, creators: ["Tool: scripts/package.sh-\($version)"]},
    packages: ([package("bcm-jobstats"; $version; "NOASSERTION"; null)
        + {supplier: "NOASSERTION", sourceInfo: "git commit \($commit)", primaryPackagePurpose: "APPLICATION"}]
        + $packages + $runtime + $shared),
    files: $programs,
    relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: $ours}]
        + [$programs[] | {spdxElementId: .SPDXID, relationshipType: "GENERATED_FROM", relatedSpdxElement: $ours}]
        + [($packages + $runtime)[] | {spdxElementId: $ours, relationshipType: "STATIC_LINK", relatedSpdxElement: .SPDXID}]
        + [$shared[] | {spdxElementId: $ours, relationshipType: "DYNAMIC_LINK", relatedSpdxElement: .SPDXID}])
}
