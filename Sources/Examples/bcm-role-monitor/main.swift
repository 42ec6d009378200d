import ExampleSupport
import Glibc
import RoleMonitor

// Shared storage may hang for ever: the child that touches it is this program again, and nothing else.
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == StorageWorker.argument {
    _exit(StorageWorker.main(lockFile: CommandLine.arguments[2]))
}
await Program.main(RoleMonitorCommand.self)
