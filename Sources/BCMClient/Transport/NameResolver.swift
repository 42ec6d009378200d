import CommandExecution
import Glibc
import Synchronization

/// Host names to addresses, without ever blocking a caller longer than allowed.
///
/// On a BCM cluster the head nodes are the name servers, so a dead head node makes name resolution slow at the very
/// moment in which the other head node is needed. The last known addresses are used when no fresh ones come in time.
final class NameResolver: Sendable {
    /// The addresses of a host in text form, or why there are none.
    typealias Answer = Result<[String], ResolutionFailure>

    struct ResolutionFailure: Error, Sendable {
        var reason: String
    }

    private struct Entry {
        var addresses: [String] = []
        var resolvedAt: ContinuousClock.Instant?
        var running: Promise<Answer>?
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let freshness: Duration
    private let patience: Duration
    private let look: @Sendable (String) -> Answer

    /// - Parameters:
    ///   - freshness: how long addresses are used without asking again.
    ///   - patience: how long fresh addresses are waited for when old ones are known.
    init(
        freshness: Duration = .seconds(60), patience: Duration = .milliseconds(500),
        look: @escaping @Sendable (String) -> Answer = NameResolver.systemLookUp
    ) {
        self.freshness = freshness
        self.patience = patience
        self.look = look
    }

    /// The addresses of a host; nil when neither fresh nor old ones are known in time.
    func addresses(of host: String, within limit: Duration) async -> Answer? {
        if isIPv4Address(host) || isIPv6Address(host) { return .success([host]) }
        let (known, lookup) = entries.withLock { entries -> ([String], Promise<Answer>?) in
            let entry = entries[host] ?? Entry()
            if let resolvedAt = entry.resolvedAt, ContinuousClock.now - resolvedAt < freshness {
                return (entry.addresses, nil)
            }
            if let running = entry.running { return (entry.addresses, running) }
            let promise = Promise<Answer>()
            guard start(host, promise) else { return (entry.addresses, nil) }
            entries[host, default: Entry()].running = promise
            return (entry.addresses, promise)
        }
        guard let lookup else {
            return known.isEmpty ? .failure(ResolutionFailure(reason: "no thread could be started")) : .success(known)
        }
        let answer = await lookup.value(within: known.isEmpty ? limit : min(patience, limit))
        if case .success = answer { return answer }
        return known.isEmpty ? answer : .success(known)
    }

    /// Forgets that the addresses of a host are fresh: they led nowhere.
    func distrust(_ host: String) {
        entries.withLock { $0[host]?.resolvedAt = nil }
    }

    private func start(_ host: String, _ promise: Promise<Answer>) -> Bool {
        DetachedThread.start(named: "bcm-resolver") { [weak self, look] in
            let answer = look(host)
            self?.entries.withLock { entries in
                var entry = entries[host] ?? Entry()
                entry.running = nil
                if case .success(let addresses) = answer {
                    entry.addresses = addresses
                    entry.resolvedAt = .now
                }
                entries[host] = entry
            }
            promise.fulfil(answer)
        }
    }

    /// Asks the system; blocks for as long as that takes.
    static func systemLookUp(_ host: String) -> Answer {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        var status = getaddrinfo(host, nil, &hints, &list)
        if status == EAI_NONAME || status == EAI_BADFLAGS {
            // On a machine with nothing but loopback addresses, no family counts as configured.
            hints.ai_flags = 0
            status = getaddrinfo(host, nil, &hints, &list)
        }
        guard status == 0 else {
            return .failure(ResolutionFailure(reason: String(cString: gai_strerror(status))))
        }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let info = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                info.pointee.ai_addr, info.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let address = text.withUnsafeBufferPointer { buffer in
                    buffer.baseAddress.map { String(cString: $0) } ?? ""
                }
                // libcurl takes no zones here, and a head node is not reached by a link-local address.
                if !address.isEmpty, !address.contains("%"), !addresses.contains(address) { addresses.append(address) }
            }
            next = info.pointee.ai_next
        }
        return addresses.isEmpty
            ? .failure(ResolutionFailure(reason: "the name has no usable address")) : .success(addresses)
    }
}
