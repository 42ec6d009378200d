import CommandExecution
import Testing

@testable import BCMClient

struct RequestTests {
    @Test func queriesAreEncoded() {
        let request = Request(path: "/x", query: [("like", "^node[0-9]+ & é/%"), ("empty", "")])
        #expect(request.target == "/x?like=%5Enode%5B0-9%5D%2B%20%26%20%C3%A9%2F%25&empty=")
        #expect(Request(path: "/x").target == "/x")
    }

    @Test func callsAreWrittenAsDocumented() throws {
        func body(_ arguments: [JSONValue], _ named: [JSONObject.Member] = []) throws -> String {
            try RESTClient.body("cmdevice", "getDevice", arguments, named).text()
        }
        #expect(try body([]) == #"{"service": "cmdevice", "call": "getDevice"}"#)
        #expect(try body(["node001"]) == #"{"service": "cmdevice", "call": "getDevice", "arg": "node001"}"#)
        #expect(try body(["a", 1]) == #"{"service": "cmdevice", "call": "getDevice", "args": ["a", 1]}"#)
        #expect(
            try body([], [.init("name", "\"\u{1b}")])
                == #"{"service": "cmdevice", "call": "getDevice", "name": "\"\u001b"}"#)
        #expect(throws: BCMError(.invalidConfiguration, reason: "")) { try body([], [.init("call", "x")]) }
        for name in ["", "a b", "a\"", "é"] {
            #expect(throws: BCMError(.invalidConfiguration, reason: "")) {
                try RESTClient.body(name, "getDevice", [], [])
            }
            #expect(throws: BCMError(.invalidConfiguration, reason: "")) {
                try RESTClient.body("cmdevice", name, [], [])
            }
        }
    }

    @Test(arguments: [
        ("Set-Cookie: a=b; Path=/; HttpOnly\r\n", "a=b"), ("SET-COOKIE:c=d==\r\n", "c=d=="),
        ("set-cookie:   e=\r\n", "e="), ("Set-Cookie: novalue\r\n", nil), ("Set-Cookie: a=\u{1}\r\n", nil),
        ("Cookie: a=b\r\n", nil), ("Set-Cookie:", nil), ("", nil),
    ])
    func cookiesAreTakenFromTheirLines(_ line: String, _ cookie: String?) {
        let found = Array(line.utf8).withUnsafeBytes { Transfer.cookie($0) }
        #expect(found?.reveal { $0 } == cookie)
    }

    @Test(arguments: [
        ("", "x"), ("a:b", "x"), ("a\n", "x"), ("a", ""), ("a", "x\ny"),
    ])
    func credentialsThatCannotBeSentAreRefused(_ name: String, _ password: String) {
        let credentials = Credentials(username: name, password: Secret(password))
        let error = #expect(throws: BCMError.self) { try credentials.validate() }
        #expect(error?.code == .invalidConfiguration)
        if password.count > 1 { #expect(error?.description.contains(password) == false) }
    }

    @Test(arguments: [
        (Duration.seconds(3600), "-1h"), (.seconds(86_400), "-1d"), (.seconds(90), "-90s"), (.seconds(120), "-2m"),
        (.zero, "-0s"), (.seconds(-5), "-0s"), (.milliseconds(1500), "-1s"),
    ])
    func momentsAreRelative(_ ago: Duration, _ text: String) {
        #expect(MonitoringMoment.ago(ago).description == text)
    }
}
