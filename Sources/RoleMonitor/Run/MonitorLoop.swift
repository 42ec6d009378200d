internal import Dispatch
internal import Glibc
package import Logging
package import ServiceManager

/// How a monitor ended.
public struct MonitorExit: Sendable, Hashable {
    /// The exit status that says so.
    public let status: Int32

    /// All was done, or the monitor was asked to end.
    public static let done = MonitorExit(status: 0)
    /// An action failed.
    public static let actionFailed = MonitorExit(status: 1)
    /// The command line or the configuration is wrong.
    public static let badConfiguration = MonitorExit(status: 2)
    /// The role cannot be told, so nothing was changed.
    public static let roleUnknown = MonitorExit(status: 3)
    /// Another monitor runs on this node.
    public static let alreadyRunning = MonitorExit(status: 4)
    /// The monitor asks to be started anew, in a new mount namespace.
    public static let restart = MonitorExit(status: 75)
}

/// Runs checks until it is told to end.
package struct MonitorLoop: Sendable {
    let monitor: Monitor
    let notifier: ServiceNotifier
    let clock: any MonitorClock
    let host: any HostIdentitySource
    let logger: Logger
    let reload: @Sendable () async -> Bool

    /// - Parameter reload: reads the configuration again and puts it into use.
    package init(
        monitor: Monitor, notifier: ServiceNotifier, clock: any MonitorClock, host: any HostIdentitySource,
        logger: Logger, reload: @escaping @Sendable () async -> Bool
    ) {
        self.monitor = monitor
        self.notifier = notifier
        self.clock = clock
        self.host = host
        self.logger = logger
        self.reload = reload
    }

    private enum Event: Sendable {
        case checked(PassReport)
        case request(ControlRequest, answer: @Sendable (ControlAnswer) -> Void)
        case reload
        case end(String)
    }

    /// Runs until SIGTERM or SIGINT, or until a restart would help.
    ///
    /// - Parameter controlPaths: where requests are taken.
    package func run(controlPaths: Set<String>) async -> MonitorExit {
        let mailbox = Mailbox<Event>()
        let signals = [
            SignalWatch(SIGTERM) { mailbox.put(.end("SIGTERM")) },
            SignalWatch(SIGINT) { mailbox.put(.end("SIGINT")) },
            SignalWatch(SIGHUP) { mailbox.put(.reload) },
        ]
        defer { for signal in signals { signal.stop() } }
        var controls: [ControlSocket] = []
        for path in controlPaths.sorted() {
            do throws(MonitorError) {
                controls.append(try ControlSocket(path: path) { mailbox.put(.request($0, answer: $1)) })
            } catch {
                logger.error("\(error); --pause, --resume and --reset do not work there")
            }
        }
        defer { withExtendedLifetime(controls) {} }
        notifier.ready(status: "waiting for the first check")
        return await serve(mailbox)
    }

    private func serve(_ mailbox: Mailbox<Event>) async -> MonitorExit {
        var schedule = await schedule()
        var due = clock.now().sinceBoot + schedule.delayOfFirst(sinceBoot: clock.now().sinceBoot).inSeconds
        var check: Task<Void, Never>?
        /// Requests to be done before the next check, and those to be answered after it.
        var waiting: [(ControlRequest, @Sendable (ControlAnswer) -> Void)] = []
        var answering: [(ControlRequest, @Sendable (ControlAnswer) -> Void)] = []
        var mustReload = false
        let slice = notifier.watchdogInterval.map { min($0 / 3, .seconds(20)) } ?? .seconds(60)
        while true {
            if check == nil {
                notifier.feedWatchdog()
                if mustReload {
                    mustReload = false
                    notifier.reloading()
                    if await reload() { due = min(due, clock.now().sinceBoot + 1) }
                    notifier.ready()
                }
                for (request, _) in waiting { await apply(request) }
                answering += waiting
                let now = clock.now().sinceBoot
                // A pause ends at its time, not at the next check after it.
                if let end = await monitor.pauseEnd { due = min(due, now + max(end - clock.now().wall, 0)) }
                if now >= due || !waiting.isEmpty {
                    waiting = []
                    check = Task { mailbox.put(.checked(await monitor.pass())) }
                }
            }
            let timeout = check == nil ? min(.seconds(max(due - clock.now().sinceBoot, 0)), slice) : slice
            switch await mailbox.next(within: timeout) {
            case nil: break
            case .checked(let report):
                check = nil
                // A check that another request interrupted is made again, and answers both.
                if waiting.isEmpty || !report.isInterrupted {
                    for (request, answer) in answering { answer(Self.answer(request, report)) }
                    answering = []
                }
                if report.wantsNewNamespace, await monitor.mayRestartForNamespace() {
                    logger.notice("shared storage fails in this unit's mount namespace alone: starting anew")
                    notifier.stopping()
                    return .restart
                }
                schedule = await self.schedule()
                due =
                    clock.now().sinceBoot
                    + schedule.delayOfNext(sinceBoot: clock.now().sinceBoot, chance: .random(in: -1...1)).inSeconds
            case .request(let request, let answer):
                waiting.append((request, answer))
                check?.cancel()
            case .reload: mustReload = true
            case .end(let signal):
                logger.notice("\(signal): ending; exporters and target file stay as they are")
                notifier.stopping()
                check?.cancel()
                if check != nil { await settle(mailbox) }
                return .done
            }
        }
    }

    /// Waits a moment for a check that was cancelled: one that is just replacing a file would leave its temporary file.
    private func settle(_ mailbox: Mailbox<Event>) async {
        let end = clock.now().sinceBoot + 0.5
        while case let left = end - clock.now().sinceBoot, left > 0 {
            if case .checked = await mailbox.next(within: .seconds(left)) { return }
        }
    }

    private func schedule() async -> Schedule {
        Schedule(interval: await monitor.configuration.checkInterval, hostName: host.identity().hostName)
    }

    private func apply(_ request: ControlRequest) async {
        switch request {
        case .pause(let seconds):
            let end = clock.now().wall + seconds
            logger.notice("paused until \(WallTime.text(end))")
            await monitor.setPause(until: end)
        case .resume:
            logger.notice("resumed")
            await monitor.setPause(until: nil)
        case .reset:
            logger.notice("failed starts and keys of head nodes are forgotten")
            await monitor.reset()
        }
    }

    /// What an operator is told once the check that followed a request has ended.
    static func answer(_ request: ControlRequest, _ report: PassReport) -> ControlAnswer {
        let failures = report.failures.map { "\n  \($0.message)" }.joined()
        let actions = report.actions.isEmpty ? "" : " (\(report.actions.joined(separator: ", ")))"
        let isDone = report.failures.isEmpty && !report.isInterrupted
        let done: String
        switch request {
        case .pause: done = "paused until \(report.pauseEnd.map(WallTime.text) ?? "now")\(actions)"
        case .resume: done = "resumed\(actions)"
        case .reset: done = "failed starts and keys of head nodes are forgotten\(actions)"
        }
        if report.isInterrupted { return ControlAnswer(isDone: false, message: "\(done); then it was interrupted") }
        var message = isDone ? done : "\(done), but:\(failures)"
        if let reason = report.unknownReason {
            message += "\n  the role is unknown, so nothing is started or stopped: \(reason)"
        }
        return ControlAnswer(isDone: isDone, message: message)
    }
}

/// Calls a closure when this process gets a signal, which then does nothing else.
struct SignalWatch {
    private let source: any DispatchSourceSignal

    init(_ number: Int32, _ handle: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handle)
        source.resume()
    }

    func stop() { source.cancel() }
}
