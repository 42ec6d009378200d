import ArgumentParser
import BCMClient
import CommandExecution
import ExampleSupport
import Glibc

/// Which head nodes are asked, and how both sides prove who they are.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A head node, NAME or NAME:PORT; can be given again for a second one.", valueName: "host"))
    var head: [String] = ["master"]
    @Option(help: ArgumentHelp("CMDaemon's port where a head node names none.", valueName: "number"))
    var port = HeadNode.standardPort
    @Option(
        help: ArgumentHelp(
            "The client certificate, a PEM file (default: \(BCMPaths.administratorCertificate)).", valueName: "file"))
    var cert: String?
    @Option(
        help: ArgumentHelp("Its key, a PEM file (default: \(BCMPaths.administratorKey)).", valueName: "file"))
    var key: String?
    @Option(
        help: ArgumentHelp("The cluster's CA, a PEM file (default: \(BCMPaths.authority)).", valueName: "file"))
    var ca: String?
    @Flag(help: "Trust the CA's certificates whatever host they name.")
    var anyHostName = false
    @Option(help: ArgumentHelp("Trust this public key alone; can be given again.", valueName: "sha256//base64"))
    var pin: [String] = []
    @Flag(help: "Trust whoever answers.")
    var insecure = false
    @Option(
        help: ArgumentHelp("Log in as this user, and show no certificate unless --cert names one.", valueName: "name"))
    var user: String?
    @Option(
        help: ArgumentHelp(
            "The file that holds the user's password; without it the password is asked for on the terminal.",
            valueName: "file"))
    var passwordFile: String?
    @Option(help: ArgumentHelp("How many seconds each head node has for an answer.", valueName: "seconds"))
    var timeout = 30
    @OptionGroup var log: LogOptions

    func validate() throws {
        guard [ca != nil, !pin.isEmpty, insecure].count(where: { $0 }) <= 1 else {
            throw ValidationError("Give one of --ca, --pin and --insecure.")
        }
        guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key go together.") }
        guard user != nil || passwordFile == nil else { throw ValidationError("--password-file needs --user.") }
        guard (1...3600).contains(timeout) else { throw ValidationError("--timeout is between 1 and 3600 seconds.") }
    }

    func client() throws(BCMError) -> RESTClient {
        var heads: [HeadNode] = []
        for text in head { heads.append(try HeadNode(parsing: text, defaultPort: port)) }
        var configuration = RESTClient.Configuration(
            headNodes: heads, trust: try trust(), verifiesHostname: !anyHostName,
            connectTimeout: .seconds(min(5, timeout)), requestTimeout: .seconds(timeout))
        if let user {
            configuration.credentials = Credentials(username: user, password: try Password.read(passwordFile, user))
        }
        if user == nil || cert != nil {
            configuration.certificateFile = cert ?? BCMPaths.administratorCertificate
            configuration.keyFile = key ?? BCMPaths.administratorKey
        }
        return try RESTClient(configuration: configuration, logger: log.logger("bcmctl"))
    }

    private func trust() throws(BCMError) -> ServerTrust {
        if insecure { return .insecure }
        guard !pin.isEmpty else { return .authority(file: ca ?? BCMPaths.authority) }
        var pins: Set<PublicKeyPin> = []
        for text in pin { pins.insert(try PublicKeyPin(parsing: text)) }
        return .pinnedKeys(pins)
    }
}

/// Passwords come from files and terminals, never from the command line, where every user of the machine can read them.
enum Password {
    private static let limit = 4096

    static func read(_ file: String?, _ user: String) throws(BCMError) -> Secret {
        let path = file ?? "/dev/tty"
        func refuse(_ reason: String, _ remedy: String) -> BCMError {
            BCMError(.invalidConfiguration, reason: "the password of \(user) \(reason)", remedy: remedy)
        }
        let readable = open(path, (file == nil ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY)
        guard readable >= 0 else {
            throw file == nil
                ? refuse("cannot be asked for: there is no terminal", "name its file with --password-file")
                : refuse("cannot be read from \(path): \(String(cString: strerror(errno)))", "check the file")
        }
        defer { close(readable) }
        var status = stat()
        if file != nil, fstat(readable, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 {
            throw refuse("can be read by others in \(path)", "run chmod 0600 \(path)")
        }
        var before = termios()
        let isTerminal = file == nil && tcgetattr(readable, &before) == 0
        if isTerminal {
            var silent = before
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(readable, TCSAFLUSH, &silent)
            // What is typed from here on counts and is not shown.
            Program.write("Password of \(user): ", to: readable)
        }
        defer {
            if isTerminal {
                tcsetattr(readable, TCSAFLUSH, &before)
                Program.write("\n", to: readable)
            }
        }
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while bytes.count <= limit, Glibc.read(readable, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= limit else {
            throw refuse("is empty or longer than \(limit) bytes", "give it in one line")
        }
        return Secret(String(decoding: bytes, as: UTF8.self))
    }
}
