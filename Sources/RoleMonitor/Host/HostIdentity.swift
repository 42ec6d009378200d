internal import Glibc

/// What tells this machine from others, at one moment.
package struct HostIdentity: Sendable, Hashable {
    /// The host name, short or fully qualified; it changes after imaging.
    package var hostName: String
    /// The hardware addresses of all interfaces but the loopback, in lower case.
    package var addresses: Set<String>
    /// The hardware addresses that belong to this machine alone: those of real network cards. Bridges are left out,
    /// since an image brings the same to many machines.
    package var machineAddresses: Set<String>
    /// The kernel's random identifier of this boot.
    package var bootID: String

    package init(hostName: String, addresses: Set<String>, machineAddresses: Set<String>? = nil, bootID: String) {
        self.hostName = hostName
        self.addresses = addresses
        self.machineAddresses = machineAddresses ?? addresses
        self.bootID = bootID
    }

    /// A hardware address as this program compares it: lower case, with colons.
    package static func normalized(_ address: some StringProtocol) -> String {
        String(decoding: address.utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: ":") : $0 }, as: UTF8.self)
            .lowercased()
    }
}

/// Where the identity comes from.
package protocol HostIdentitySource: Sendable {
    /// The identity as it is now.
    func identity() -> HostIdentity
}

/// The machine this process runs on.
package struct LocalHost: HostIdentitySource {
    private let interfaces: String

    /// Creates a source that reads interfaces from this directory.
    package init(interfaces: String = "/sys/class/net") { self.interfaces = interfaces }

    package func identity() -> HostIdentity {
        var all: Set<String> = []
        var real: Set<String> = []
        var virtual: Set<String> = []
        for name in DirectoryEntries.names(in: interfaces) where name != "lo" {
            let folder = "\(interfaces)/\(name)"
            // A card in a bond shows the bond's address; its own is kept aside.
            let found = Set(
                ["\(folder)/address", "\(folder)/bonding_slave/perm_hwaddr"].compactMap { Self.line($0) }
                    .map { HostIdentity.normalized($0) }
                    .filter { address in address.contains(":") && address.contains { $0 != "0" && $0 != ":" } })
            all.formUnion(found)
            if Self.exists("\(folder)/device") {
                real.formUnion(found)
            } else if !Self.exists("\(folder)/bridge"), !Self.exists("\(folder)/tun_flags"),
                !Self.exists("\(folder)/bonding")
            {
                virtual.formUnion(found)
            }
        }
        return HostIdentity(
            hostName: Self.hostName(), addresses: all,
            machineAddresses: Self.ownAddresses(real.isEmpty ? virtual : real),
            bootID: Self.line("/proc/sys/kernel/random/boot_id") ?? "")
    }

    /// Those that a maker gave to one card alone, where there are any: management controllers offer cards whose made-up
    /// address, with the bit 2 of its first byte set, can be the same in every machine of a kind.
    private static func ownAddresses(_ addresses: Set<String>) -> Set<String> {
        let unique = addresses.filter { address in
            let bytes = address.split(separator: ":")
            return bytes.count != 6 || (UInt8(bytes[0], radix: 16) ?? 0) & 2 == 0
        }
        return unique.isEmpty ? addresses : unique
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The first line of a small file of the kernel.
    private static func line(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
