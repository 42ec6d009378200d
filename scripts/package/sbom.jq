# A software bill of materials, SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3), as JSON.
# Input: Package.resolved. Arguments: $version, $commit, $origin (these, others, unknown), $created, $swift, $licences ({identity: SPDX expression}),
# $libraries ([{name, least, licence}]), $files ([{name, sha1, sha256}]). The namespace is for the caller to fill in.

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
    + {supplier: "NOASSERTION", comment: "Not part of the packages: the host's, found when it is needed."}
    # Where no version is asked for, any that the distribution has will do.
    | if .versionInfo == ">= " then del(.versionInfo) else . end] as $hosts
| [$files[] | {
    SPDXID: ("File-" + .name | id), fileName: "./bin/\(.name)", fileTypes: ["BINARY"], licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: ["NOASSERTION"], copyrightText: "NOASSERTION",
    checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}]
}] as $programs
| {
    spdxVersion: "SPDX-2.3", dataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", name: "bcm-jobstats-\($version)",
    documentNamespace: "",
    creationInfo: {created: $created, creators: ["Tool: scripts/package.sh-\($version)"]},
    packages: ([package("bcm-jobstats"; $version; "NOASSERTION"; null)
        + {supplier: "NOASSERTION", primaryPackagePurpose: "APPLICATION",
            sourceInfo: ("git commit \($commit)" + {
                these: "", others: "; the programs were built of other sources",
                unknown: "; of which sources the programs were built was not noted"
            }[$origin])}]
        + $packages + $runtime + $hosts),
    files: $programs,
    relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: $ours}]
        + [$programs[] | {spdxElementId: .SPDXID, relationshipType: "GENERATED_FROM", relatedSpdxElement: $ours}]
        + [($packages + $runtime)[] | {spdxElementId: $ours, relationshipType: "STATIC_LINK", relatedSpdxElement: .SPDXID}]
        + [$hosts[] | if .name == "openssh-client"
            then {spdxElementId: .SPDXID, relationshipType: "RUNTIME_DEPENDENCY_OF", relatedSpdxElement: $ours}
            else {spdxElementId: $ours, relationshipType: "DYNAMIC_LINK", relatedSpdxElement: .SPDXID} end])
}
