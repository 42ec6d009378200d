import Glibc

// Everything here is plain sockets without Foundation, so that a static build is small and made in seconds.

func complain(_ text: String) -> Never {
    let line = "exporter-standin: \(text)\n"
    _ = write(2, line, line.utf8.count)
    exit(2)
}

do {
    let program = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
    let options = try StandInOptions(program: program, arguments: Array(CommandLine.arguments.dropFirst()))
    if options.wantsHelp {
        print(StandInOptions.help, terminator: "")
        exit(0)
    }
    let listener = try Listener(address: options.address, port: options.port)
    print(
        "stand-in for \(options.kind.program), its figures are made up: listening at \(options.address):\(options.port)"
    )
    fflush(nil)
    let start = time(nil)
    listener.serve { path in
        switch path {
        case "/metrics":
            ("text/plain; version=0.0.4; charset=utf-8", Exposition.text(options, uptime: Int(time(nil) - start)))
        case "/": ("text/html", "<html><body>A stand-in. <a href=\"/metrics\">Metrics</a></body></html>\n")
        default: nil
        }
    }
} catch let refusal as StandInOptions.Refusal {
    complain(refusal.text)
} catch let failure as Listener.Failure {
    complain(failure.text)
}
