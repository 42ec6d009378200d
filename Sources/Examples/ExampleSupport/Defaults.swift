internal import Glibc

/// Where a program finds things when nobody says: in a checkout of this project, or as installed from a package.
public enum Defaults {
    /// Whether the working directory is a checkout.
    private static var isCheckout: Bool { access("automation/configs", F_OK) == 0 }

    /// `automation/configs/config.json` in a checkout, otherwise `/etc/bcm-jobstats/config.json`.
    public static var configurationFile: String {
        isCheckout ? "automation/configs/config.json" : "/etc/bcm-jobstats/config.json"
    }

    /// `automation/logs` in a checkout, otherwise `/var/lib/bcm-jobstats`.
    public static var stateDirectory: String { isCheckout ? "automation/logs" : "/var/lib/bcm-jobstats" }

    /// The folder that this program lies in; the other programs of the project lie beside it.
    public static var programFolder: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "/usr/local/bin" }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/usr/local/bin"
    }
}
