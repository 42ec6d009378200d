import ExampleSupport
import Glibc
import RoleMonitor

// Shared storage may hang for ever: the child that touches it is this program again, and nothing else.
if let status = MonitorService.storageChildStatus(arguments: CommandLine.arguments) { _exit(status) }
if let problem = ProcessLimits.problem {
    StandardErrorLog.fail(problem)
    _exit(MonitorExit.badConfiguration.status)
}
await Program.main(RoleMonitorCommand.self)
