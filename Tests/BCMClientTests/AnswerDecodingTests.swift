import FoundationEssentials
import Testing

@testable import BCMClient

/// The samples of BCM's manuals, and answers that deviate from them.
struct AnswerDecodingTests {
    private static func place(_ text: String) throws -> JSONPlace { JSONPlace(try JSONValue(parsing: text)) }

    // MARK: As documented

    @Test func devices() throws {
        let text = """
            {"category": "default", "cluster": "basecm10", "hostname": "node001", "ip": "10.141.0.1",
             "mac": "FA:16:3E:2B:A4:31", "network": "internalnet", "roles": ["slurmclient"], "type": "PhysicalNode",
             "rack": {"name": "r1"}}
            """
        let record = try DeviceRecord(Self.place(text))
        #expect(
            record.device
                == Device(
                    hostname: "node001", category: "default", cluster: "basecm10", ip: "10.141.0.1",
                    mac: "FA:16:3E:2B:A4:31", network: "internalnet", type: "PhysicalNode", roles: ["slurmclient"]))
        #expect(record.raw["rack"]?["name"]?.string == "r1")
        #expect(scan("[\(text)]").matches == [record.device])
    }

    @Test func statuses() throws {
        let plain = try NodeStatus(Self.place(#"{"hostname":"node001","status":"UP"}"#))
        #expect(plain.state == .up && plain.needsRestart == nil)
        let verbose = try NodeStatus(
            Self.place(
                """
                {"health_check_failed": false, "health_check_unknown": true, "hostname": "node001",
                 "provisioning_failed": false, "restart_required": true, "status": "[   UP   ] (closed)"}
                """))
        #expect(verbose.state.name == "UP" && verbose.state.remark == "(closed)" && verbose.state.isUp)
        #expect(verbose.hasFailedHealthCheck == false && verbose.hasUnknownHealthCheck == true)
        #expect(verbose.hasFailedProvisioning == false && verbose.needsRestart == true)
    }

    @Test func versionsAndLicences() throws {
        let version = try BCMVersion(
            Self.place(
                """
                {"build_hash":"daf30669f1","build_index":152175,"cm_version":"9.2","cmd_version":"2.2",
                 "database_version":36280}
                """), from: HeadNode(host: "a"))
        #expect(version.clusterManager == "9.2" && version.buildIndex == 152_175)
        let license = try BCMLicense(
            Self.place(
                """
                {"edition":"Advanced","licenseType":"Commercial","licensedNodes":512,"nodeCount":5,
                 "licensedAcceleratorNodes":256,"acceleratorNodeCount":3,"burstNodeCount":0,"startTime":1540000000,
                 "endTime":1571536000,"serial":1234567,"licensee":"/C=NL/O=Example","message":"","version":"10.0",
                 "rackCount": 2}
                """))
        #expect(license.licensedNodes == 512 && license.serial == "1234567" && license.version == "10.0")
        #expect(license.start == Date(timeIntervalSince1970: 1_540_000_000))
        #expect(license.raw["rackCount"] == 2)
    }

    @Test func sessionsAndHosts() throws {
        let session = try BCMSession(
            Self.place(#"{"address":"10.141.0.1","group":"root","type":"node","username":"root","node":"node001"}"#))
        #expect(session.username == "root" && session.node == "node001")
        let host = try HostInformation(
            "node001",
            Self.place(
                """
                {"biosVersion":"1.2","memoryTotal":2151677952,"diskCount":1,"disks":[{"name":"vda"}],
                 "processors":[{"model":"EPYC","cores":64,"speed":2400.5}],"gpus":[],"osFlavor":"Ubuntu",
                 "osVersion":"22.04","timestamp":1540466198}
                """))
        #expect(host.memory == ByteCount(bytes: 2_151_677_952) && "\(ByteCount(bytes: 2_151_677_952))" == "2.0 GiB")
        #expect(host.processors.first?.cores == 64 && host.processors.first?.speed == 2400.5)
        #expect(host.collected?.date == Date(timeIntervalSince1970: 1_540_466_198))
        #expect(host.disks.first?["name"] == "vda")
    }

    @Test func jobs() throws {
        let job = try WorkloadJob(
            Self.place(
                """
                {"account":"root","group":"users","job_id":"12_3","job_name":"train","nodes":["node001"],
                 "queue":"defq","run_time":"1-01:00:05","start_time":"2018/10/25 13:15:28","state":"RUNNING",
                 "sumbit_time":"2018-10-25T13:15:20","user":"alice"}
                """))
        #expect(job.id == "12_3" && job.nodes == ["node001"] && job.user == "alice")
        #expect(job.runTime == .seconds(90_005))
        #expect(job.started?.zoneless == ZonelessTime("2018/10/25 13:15:28") && job.started?.date == nil)
        #expect(job.submitted?.text == "2018-10-25T13:15:20")
        let other = try WorkloadJob(Self.place(#"{"job_id": 7, "submit_time": 1540466198, "run_time": 60}"#))
        #expect(other.id == "7" && other.runTime == .seconds(60) && other.nodes.isEmpty)
        #expect(other.submitted?.date == Date(timeIntervalSince1970: 1_540_466_198))
    }

    @Test func monitoringValues() throws {
        let entity = try MonitoringObject(
            Self.place(#"{"key": 281474976710657, "name": "node001", "type": "PhysicalNode"}"#))
        #expect(entity.key.integer == 281_474_976_710_657)
        let latest = try MonitoringValue(
            Self.place(
                """
                {"age":58.137,"entity":"node001","measurable":"LoadOne","raw":0.04,"time":1540466198862,"value":"0.04",
                 "info":"quiet"}
                """))
        #expect(latest.age == .seconds(58.137) && latest.number == 0.04 && latest.info == "quiet")
        #expect(latest.time.date == Date(timeIntervalSince1970: 1_540_466_198.862))
        func time(_ json: String) throws -> BCMTime {
            let text = #"{"entity":"a","measurable":"b","raw":0,"time":\#(json),"value":"PASS"}"#
            return try MonitoringValue(Self.place(text)).time
        }
        #expect(try time("1540466198").date == Date(timeIntervalSince1970: 1_540_466_198))
        #expect(try time(#""2018/10/25 13:15:28""#).zoneless?.description == "2018/10/25 13:15:28")
        #expect(try time(#""2018/10/25 13:15:28""#).date == nil, "no zone is guessed")
        let pushed = try PushResult(Self.place(#"{"values":{"added":1,"provided":1}}"#))
        #expect(pushed.added == 1 && pushed.provided == 1)
    }

    // MARK: Deviating

    /// What reads an answer.
    enum Reader: String, Sendable {
        case device, status, version, license, session, host, job, object, use, value, push

        func read(_ place: JSONPlace) throws(JSONError) {
            switch self {
            case .device: _ = try DeviceRecord(place)
            case .status: _ = try NodeStatus(place)
            case .version: _ = try BCMVersion(place, from: HeadNode(host: "a"))
            case .license: _ = try BCMLicense(place)
            case .session: _ = try BCMSession(place)
            case .host: _ = try HostInformation("node001", place)
            case .job: _ = try WorkloadJob(place)
            case .object: _ = try MonitoringObject(place)
            case .use: _ = try MonitoringUse(place)
            case .value: _ = try MonitoringValue(place)
            case .push: _ = try PushResult(place)
            }
        }
    }

    struct Deviation: Sendable, CustomTestStringConvertible {
        var reader: Reader
        var text: String
        /// Nil where it is read all the same.
        var message: String?
        init(_ reader: Reader, _ text: String, _ message: String?) {
            (self.reader, self.text, self.message) = (reader, text, message)
        }
        var testDescription: String { "\(reader.rawValue) \(text)" }
    }

    static let deviations: [Deviation] = [
        // Not the right kind of value at all.
        .init(.device, "[]", "the outermost value: expected object, found array"),
        .init(.status, "null", "the outermost value: expected object, found null"),
        .init(.version, "[]", "the outermost value: expected object, found array"),
        .init(.license, #""Free""#, "the outermost value: expected object, found text"),
        .init(.session, "1", "the outermost value: expected object, found number"),
        .init(.job, "true", "the outermost value: expected object, found boolean"),
        .init(.push, "1", "the outermost value: expected object, found number"),
        // Missing.
        .init(.device, "{}", "hostname: is missing"),
        .init(.status, #"{"hostname":"a"}"#, "status: is missing"),
        .init(.status, #"{"status":"UP"}"#, "hostname: is missing"),
        .init(.session, #"{"group":"root"}"#, "username: is missing"),
        .init(.job, #"{"user":"a"}"#, "job_id: is missing"),
        .init(.object, #"{"name":"a"}"#, "key: is missing"),
        .init(.object, #"{"key":1}"#, "name: is missing"),
        .init(.use, #"{"entity":"a"}"#, "measurable: is missing"),
        .init(.value, #"{"entity":"a","measurable":"b","raw":1,"time":1}"#, "value: is missing"),
        .init(.value, #"{"entity":"a","measurable":"b","raw":1,"value":"1"}"#, "time: is missing"),
        .init(.push, "{}", "values: is missing"),
        .init(.push, #"{"values":{"added":1}}"#, "values.provided: is missing"),
        // Null: as good as missing, and an error where a value is needed.
        .init(.device, #"{"hostname":"a","roles":null,"category":null}"#, nil),
        .init(.device, #"{"hostname":null}"#, "hostname: expected text, found null"),
        .init(.status, #"{"hostname":"a","status":null}"#, "status: expected text, found null"),
        .init(.license, #"{"licensedNodes":null,"endTime":null}"#, nil),
        .init(.value, #"{"entity":"a","measurable":"b","raw":null,"time":1,"value":"no data"}"#, nil),
        .init(
            .value, #"{"entity":"a","measurable":"b","raw":1,"time":null,"value":"1"}"#,
            "time: expected text or number, found null"),
        .init(.host, #"{"disks":null,"processors":null,"memoryTotal":null}"#, nil),
        // The wrong type.
        .init(.device, #"{"hostname":1}"#, "hostname: expected text, found number"),
        .init(.device, #"{"hostname":"a","roles":"slurmclient"}"#, "roles: expected array, found text"),
        .init(.device, #"{"hostname":"a","roles":{"slurmclient":true}}"#, "roles: expected array, found object"),
        .init(.device, #"{"hostname":"a","roles":[1]}"#, "roles[0]: expected text, found number"),
        .init(.device, #"{"hostname":"a","roles":["b",null]}"#, "roles[1]: expected text, found null"),
        .init(.device, #"{"hostname":"a","ip":["10.0.0.1"]}"#, "ip: expected text, found array"),
        .init(.device, #"{"hostname":"a","mac":false}"#, "mac: expected text, found boolean"),
        .init(.device, #"{"hostname":"a","category":{"name":"b"}}"#, "category: expected text, found object"),
        .init(
            .status, #"{"hostname":"a","status":"UP","restart_required":"no"}"#,
            "restart_required: expected boolean, found text"),
        .init(
            .status, #"{"hostname":"a","status":"UP","health_check_failed":0}"#,
            "health_check_failed: expected boolean, found number"),
        .init(.version, #"{"build_index":"152175"}"#, "build_index: expected number, found text"),
        .init(.version, #"{"cm_version":9.2}"#, "cm_version: expected text, found number"),
        .init(.license, #"{"licensedNodes":"512"}"#, "licensedNodes: expected number, found text"),
        .init(.license, #"{"startTime":"yesterday"}"#, "startTime: expected number, found text"),
        .init(.license, #"{"serial":[1]}"#, "serial: expected text or number, found array"),
        .init(.host, #"{"processors":[{"cores":"64"}]}"#, "processors[0].cores: expected number, found text"),
        .init(.host, #"{"processors":[5]}"#, "processors[0]: expected object, found number"),
        .init(.host, #"{"disks":{"a":1}}"#, "disks: expected array, found object"),
        .init(.job, #"{"job_id":{}}"#, "job_id: expected text or number, found object"),
        .init(.job, #"{"job_id":"1","nodes":"node001"}"#, "nodes: expected array, found text"),
        .init(.job, #"{"job_id":"1","nodes":["a",5]}"#, "nodes[1]: expected text, found number"),
        .init(.job, #"{"job_id":"1","sumbit_time":false}"#, "sumbit_time: expected text or number, found boolean"),
        .init(.object, #"{"key":"281474976710657","name":"a"}"#, "key: expected number, found text"),
        .init(
            .value, #"{"entity":"a","measurable":"b","raw":[1],"time":1,"value":"1"}"#,
            "raw: expected number, found array"),
        .init(.value, #"{"entity":"a","measurable":"b","raw":"no data","time":1,"value":"no data"}"#, nil),
        .init(.push, #"{"values":[1,1]}"#, "values: expected object, found array"),
        .init(.push, #"{"values":{"added":true,"provided":1}}"#, "values.added: expected number, found boolean"),
        // Numbers that are too large, too precise or impossible.
        .init(
            .version, #"{"build_index":9223372036854775808}"#,
            "build_index: expected a whole number that fits 64 bits, found 9223372036854775808"),
        .init(
            .version, #"{"build_index":1e400}"#, "build_index: expected a whole number that fits 64 bits, found 1e400"),
        .init(.version, #"{"build_index":1.5}"#, "build_index: expected a whole number that fits 64 bits, found 1.5"),
        .init(.license, #"{"nodeCount":-1}"#, "nodeCount: expected a number that is not negative, found -1"),
        .init(.license, #"{"nodeCount":5.0}"#, nil),
        .init(.license, #"{"endTime":1e300}"#, "endTime: expected Unix seconds, found 1e300"),
        .init(.host, #"{"memoryTotal":-5}"#, "memoryTotal: expected a number of bytes, found -5"),
        .init(.host, #"{"memoryTotal":18446744073709551615}"#, nil),
        .init(
            .host, #"{"memoryTotal":99999999999999999999}"#,
            "memoryTotal: expected a number of bytes, found 99999999999999999999"),
        .init(
            .host, #"{"processors":[{"speed":1e999}]}"#,
            "processors[0].speed: expected a number that can be calculated with, found 1e999"),
        .init(.object, #"{"key":123456789012345678901234567890,"name":"a"}"#, nil),
        .init(
            .value, #"{"entity":"a","measurable":"b","raw":1,"time":1e20,"value":"1"}"#,
            "time: expected a time, found 1e20"),
        .init(
            .value, #"{"age":1e15,"entity":"a","measurable":"b","raw":1,"time":1,"value":"1"}"#,
            "age: expected seconds, found 1e15"),
        // Names that stand twice.
        .init(.device, #"{"hostname":"a","hostname":"b"}"#, "hostname: the name stands twice"),
        .init(.device, #"{"hostname":"a","roles":[],"roles":["b"]}"#, "roles: the name stands twice"),
        .init(.device, #"{"hostname":"a","x":1,"x":2}"#, nil),
        .init(.license, #"{"x":1,"x":2}"#, "x: the name stands twice"),
        .init(.push, #"{"values":{"added":1,"added":2,"provided":1}}"#, "values.added: the name stands twice"),
        // More than is known, odd texts.
        .init(.device, #"{"hostname":"a","new":{"deep":[{"er":1}]},"roles":[]}"#, nil),
        .init(.device, #"{"hostname":"","roles":[""]}"#, nil),
        .init(.status, #"{"hostname":"a","status":"[ INSTALLING ]","extra":[]}"#, nil),
        .init(.job, #"{"job_id":"1","start_time":"N/A","run_time":"soon"}"#, nil),
        .init(.host, #"{"timestamp":"2018/10/25 13:15:28"}"#, nil),
    ]

    @Test(arguments: deviations)
    func deviatingAnswersAreReadRightOrNamedWithTheirPath(_ deviation: Deviation) throws {
        let place = try Self.place(deviation.text)
        do throws(JSONError) {
            try deviation.reader.read(place)
            #expect(deviation.message == nil)
        } catch {
            #expect("\(error)" == deviation.message)
        }
    }

    @Test func pathsLeadThroughTheWholeAnswer() throws {
        let place = try Self.place(#"[{"hostname":"a"},{"hostname":"b","roles":["c",5]}]"#)
        let error = #expect(throws: JSONError.self) {
            for element in try place.elements() { _ = try DeviceRecord(element) }
        }
        #expect(error.map { "\($0)" } == "[1].roles[1]: expected text, found number")
    }

    // MARK: Values

    @Test(arguments: [
        ("2018/10/25 13:15:28", 1_540_473_328.0), ("1970-01-01T00:00:00", 0), ("2000/02/29 23:59:59", 951_868_799),
        ("1969/12/31 23:59:59", -1), ("2100/03/01 00:00:00", 4_107_542_400),
    ])
    func zonelessTimesBecomeMomentsInAZoneThatIsNamed(_ text: String, _ seconds: Double) throws {
        let time = try #require(ZonelessTime(text))
        #expect(time.date(secondsFromUTC: 0).timeIntervalSince1970 == seconds)
        #expect(time.date(secondsFromUTC: 7200).timeIntervalSince1970 == seconds - 7200)
    }

    @Test(arguments: [
        "", "2018/10/25", "2018/13/01 00:00:00", "2018/02/29 00:00:00", "2018/10/25 24:00:00", "2018/10/25 13:60:00",
        "2018/10-25 13:15:28", "2018/10/25 13:15:28Z", "2018/10/25 13:15:2 ", "٢٠١٨/10/25 13:15",
    ])
    func otherTextsAreNoTimes(_ text: String) {
        #expect(ZonelessTime(text) == nil)
        #expect(BCMTime(text).text == text && BCMTime(text).date == nil)
    }

    @Test func zonelessTimesAreInOrder() throws {
        let times = try ["2018/10/25 13:15:28", "2018/10/25 13:15:29", "2018/11/01 00:00:00"].map {
            try #require(ZonelessTime($0))
        }
        #expect(times.sorted(by: >).reversed() == times)
    }

    @Test(arguments: [
        ("60", Duration.seconds(60)), ("90.5", .seconds(90.5)), ("01:00:00", .seconds(3600)), ("12:30", .seconds(750)),
        ("2-01:00:00", .seconds(176_400)), ("", nil), ("soon", nil), ("1:99", nil), ("-5", nil), ("1e99", nil),
        ("99999999:00:00", nil),
    ])
    func runTimesAreReadInTheirForms(_ text: String, _ duration: Duration?) {
        #expect(Duration(jobTime: text) == duration)
    }

    @Test func bytesAreShownInTheirLargestUnit() {
        let texts = [0, 1023, 1024, 1_048_576, 1_649_267_441_664, UInt64.max].map { "\(ByteCount(bytes: $0))" }
        #expect(texts == ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.5 TiB", "16.0 EiB"])
    }

    @Test(arguments: [
        ("node001", ["node001"]), ("node008..node011", ["node008", "node009", "node010", "node011"]),
        ("a,b01..b02", ["a", "b01", "b02"]),
    ])
    func rangesOfNodesStandForNames(_ text: String, _ names: [String]) throws {
        #expect(try NodeRange(text).names == names)
    }

    @Test(arguments: ["", ",", "a..", "..b", "a1..b2", "a2..a1", "a1..a2..a3", "a b", "-x", "a;b", "a1..a999999"])
    func otherTextsAreNoRanges(_ text: String) {
        #expect(throws: BCMError(.invalidConfiguration, reason: "")) { try NodeRange(text) }
    }
}
