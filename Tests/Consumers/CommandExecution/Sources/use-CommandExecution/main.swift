import CommandExecution

/// Asks the kernel for its name, and shows how a foreign value would stand in a shell's text.
let executor = LocalExecutor()
let result = try await executor.run(Command("uname", ["-s"], timeout: .seconds(5)))
print("uname:", String(result.outputText.dropLast()), "-", result.status)

let failed = try await executor.run(Command("sh", ["-c", "exit 3"]))
print("sh:", failed.succeeded ? "succeeded" : "failed", "-", failed.status)

print("quoted:", ShellQuoting.quote(["echo", "$(reboot)", "it's"]))
print("secret:", Secret("password"))
do {
    _ = try await executor.run(Command("no-such-program"))
} catch {
    print(error, error.code == .notFound)
}
