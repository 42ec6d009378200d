internal import Glibc

/// What this process may use at most, as whoever started it has set it.
package enum ProcessLimits {
    /// A monitor at work has about twenty files open, and so many again in a request. With fewer than those the language's
    /// own runtime ends the process without a word, or hangs.
    static let leastOpenFiles: UInt = 64

    /// Why the monitor cannot work within the limits, and what to do; nil when it can.
    package static var problem: String? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return problem(openFiles: limit.rlim_cur)
    }

    static func problem(openFiles limit: UInt) -> String? {
        guard limit < leastOpenFiles else { return nil }
        return "this process may have at most \(limit) open files, and the monitor needs \(leastOpenFiles); systemd's "
            + "usual limit is 1024: look for LimitNOFILE= in the unit and its drop-ins, or for ulimit -n in the shell"
    }
}
