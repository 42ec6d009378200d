import ClusterModel
import Glibc

// The part of the command line of cmsh that tools use. It is parsed by hand, because cmsh has single-dash options that
// no usual parser takes.

let usage = """
    cmsh of the BCM simulator: works on a simulated cluster, not on a real one.

    usage: cmsh [--color=no] [--hide-events] [-n] [-q] [-i CERTIFICATE -k KEY] -c "MODE; COMMAND; ..."

      -c COMMANDS   run these commands; without it they are read from standard input
      -n            read no cmshrc (there is none here)
      -q            leave at the first error, with status 1
      -i, -k        a client certificate of the cluster and its key
      --color=..., --hide-events, --skip-licence-check are accepted

    The cluster is in \(StateStore.defaultDirectory), or where \(StateStore.directoryVariable) says. What BCM would do to
    the hosts is done by the program `hook` there, or the one that \(CommitHook.variable) names.

    """

func complain(_ text: String) {
    let line = text + "\n"
    _ = write(2, line, line.utf8.count)
}

func fail(_ text: String) -> Never {
    complain("Error: \(text)")
    exit(1)
}

func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

func hostName() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
    let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return String(name.prefix { $0 != "." })
}

var commands: String?
var stopsAtError = false
var certificate: String?
var key: String?
var arguments = CommandLine.arguments.dropFirst().makeIterator()
while let argument = arguments.next() {
    switch argument {
    case "-c", "-i", "-k":
        guard let value = arguments.next() else { fail("option \(argument) requires a value") }
        if argument == "-c" { commands = value } else if argument == "-i" { certificate = value } else { key = value }
    case "-q", "--quit": stopsAtError = true
    case "-n", "--norc", "--hide-events", "--skip-licence-check", "--skip-license-check": break
    case "-h", "--help":
        print(usage, terminator: "")
        exit(0)
    case let option where option.hasPrefix("--color"): break
    default: fail("unknown option: \(argument)")
    }
}

let text: String
if let commands {
    text = commands
} else if isatty(0) != 0 {
    fail("the simulator's cmsh has no dialogue: use -c, or give the commands on standard input")
} else {
    var lines = ""
    while let line = readLine(strippingNewline: false) { lines += line }
    text = lines
}

let store = StateStore(directory: variable(StateStore.directoryVariable) ?? StateStore.defaultDirectory)
let localHost = variable("BCM_SIMULATOR_HOST") ?? hostName()
do {
    var session = try CmshSession(store: store, localHost: localHost, hook: CommitHook(of: store))
    if let certificate {
        guard let key, access(key, R_OK) == 0 else { fail("cannot read the key of \(certificate)") }
        guard let serial = CertificateAuthority.serial(ofFile: certificate) else { fail("cannot read \(certificate)") }
        guard session.knows(certificateWithSerial: serial) else { fail("authentication failed: unknown certificate") }
    }
    session.run(text, stopsAtError: stopsAtError)
    let hadErrors = !session.errors.isEmpty
    session.end()
    print(session.output, terminator: "")
    for error in session.errors { complain(error) }
    exit(stopsAtError && hadErrors ? 1 : 0)
} catch {
    fail("cannot connect to the simulated cluster: \(error)")
}
