/// Reads BCM's device list as it arrives, and keeps the devices that were asked for and nothing of the others.
///
/// The whole text is held to the grammar of RFC 8259, and the list to being an array of objects that each have a
/// `hostname`. Of members with the same name the last one counts. Chunks may end anywhere.
struct DeviceScanner: ~Copyable {
    /// How deep arrays and objects may be nested.
    static let depthLimit = 64

    private enum State: UInt8 {
        case value, valueOrClose, key, keyOrClose, colon, afterValue, string, number, literal, end
    }

    /// The devices that were asked for.
    private(set) var matches: [Device] = []
    /// How many devices were seen.
    private(set) var deviceCount = 0
    /// How many of them show at least one role.
    private(set) var devicesShowingRoles = 0
    /// What is wrong with the text; nil so far.
    private(set) var fault: String?

    private let wanted: HostNameSet?
    private var state = State.value
    /// How many arrays and objects are open: the list is 1, a device 2.
    private var depth = 0
    /// Which of them are objects, the innermost in the lowest bit.
    private var objects: UInt64 = 0
    private var members = DeviceMembers()
    /// The known member of the device whose value is next or at hand.
    private var member: DeviceMember?
    /// Where in the chunk the key or known value at hand begins.
    private var mark: Int?
    private var string = StringState()
    private var stringIsKey = false
    private var number = NumberState.zero
    private var literal: StaticString = "null"
    private var literalPlace = 0
    /// How many bytes came before the chunk at hand.
    private var offset = 0

    /// - Parameter wanted: the devices to keep; nil keeps all.
    init(wanted: HostNameSet?) {
        self.wanted = wanted
    }

    /// Reads on. False when the text is wrong, and no more of it is wanted.
    mutating func scan(_ chunk: UnsafeRawBufferPointer) -> Bool {
        guard fault == nil else { return false }
        guard let start = chunk.baseAddress, chunk.count > 0 else { return true }
        let base = start.assumingMemoryBound(to: UInt8.self)
        let end = chunk.count
        var index = 0
        while index < end {
            switch state {
            case .string:
                index = goOnInString(chunk, base, index, end)
            case .number:
                if let next = number.next(base[index]) {
                    number = next
                    index += 1
                } else if number.isComplete {
                    endValue(chunk, index)
                } else {
                    fail("a number that is not one", at: index)
                }
            case .literal:
                if base[index] == literal.utf8Start[literalPlace] {
                    literalPlace += 1
                    index += 1
                    if literalPlace == literal.utf8CodeUnitCount { endValue(chunk, index) }
                } else {
                    fail("a word other than true, false and null", at: index)
                }
            default:
                let byte = base[index]
                if byte <= 0x20 {
                    guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else {
                        fail("a control character", at: index)
                        break
                    }
                    index += 1
                } else {
                    index = step(byte, chunk, base, index, end)
                }
            }
            if fault != nil { return false }
        }
        members.keep(chunk, unfinishedFrom: mark)
        if mark != nil { mark = 0 }
        if members.isOverfull {
            fail("a device with more than \(DeviceMembers.limit) bytes", at: end)
            return false
        }
        offset += end
        return true
    }

    /// Says that the text is over. False when it ends too early.
    mutating func finish() -> Bool {
        if fault == nil, state != .end {
            fault = offset == 0 ? "the answer is empty" : "the answer ends in the middle, after \(offset) bytes"
        }
        return fault == nil
    }

    /// One byte that is no space, outside of strings, numbers and words. Returns where to go on.
    @inline(__always)
    private mutating func step(
        _ byte: UInt8, _ chunk: UnsafeRawBufferPointer, _ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int
    ) -> Int {
        switch state {
        case .key, .keyOrClose:
            if byte == UInt8(ascii: "\"") {
                if depth == 2 {
                    let next = readMembers(base, index, end)
                    if next > index { return next }
                    mark = index + 1
                }
                string = StringState()
                stringIsKey = true
                state = .string
                return index + 1
            }
            if byte == UInt8(ascii: "}"), state == .keyOrClose { return close(chunk, index) }
            fail("no name where a member is expected", at: index)
        case .colon:
            if byte == UInt8(ascii: ":") {
                state = .value
                return index + 1
            }
            fail("no colon after a name", at: index)
        case .value, .valueOrClose:
            if byte == UInt8(ascii: "]"), state == .valueOrClose { return close(chunk, index) }
            return beginValue(byte, index)
        case .afterValue:
            if byte == UInt8(ascii: ",") {
                state = objects & 1 == 1 ? .key : .value
                return index + 1
            }
            if byte == (objects & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) { return close(chunk, index) }
            fail("no comma after a value", at: index)
        case .end: fail("something after the list", at: index)
        case .string, .number, .literal: break
        }
        return index
    }

    /// Members of a device that lie whole in the chunk and have a string without escapes, or a list of such strings, as
    /// nearly all do.
    ///
    /// - Returns: where to go on; the given index when not even the first member is such a one.
    @inline(__always)
    private mutating func readMembers(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        while true {
            let keyEnd = skipPlain(base, from: index &+ 1, to: end)
            var next = keyEnd &+ 2
            guard next < end, base[keyEnd] == UInt8(ascii: "\""), base[keyEnd &+ 1] == UInt8(ascii: ":") else { break }
            if base[next] == 0x20 { next &+= 1 }
            guard next < end else { break }
            let found = members.member(base, index &+ 1, keyEnd, end)
            let valueEnd: Int
            switch base[next] {
            case UInt8(ascii: "\""):
                valueEnd = Self.endOfString(base, next, end)
                guard valueEnd < end else { return index }
            case UInt8(ascii: "["):
                valueEnd = Self.endOfStrings(base, next, end)
                guard valueEnd < end else { fallthrough }
            default:
                member = found
                state = .value
                return next
            }
            if let found { members.set(found, next, valueEnd) }
            index = valueEnd
            guard base[index] == UInt8(ascii: ",") else {
                state = .afterValue
                return index
            }
            index &+= 1
            state = .key
            if index < end, base[index] == 0x20 { index &+= 1 }
            guard index < end, base[index] == UInt8(ascii: "\"") else { return index }
        }
        return index
    }

    /// Where a string without escapes ends; the end of the bytes when it is no such one or goes on beyond them.
    @inline(__always)
    private static func endOfString(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        let close = skipPlain(base, from: start &+ 1, to: end)
        return close < end && base[close] == UInt8(ascii: "\"") ? close &+ 1 : end
    }

    /// Where a list of such strings ends, likewise.
    @inline(__always)
    private static func endOfStrings(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int {
        var index = start
        repeat {
            index &+= 1
            if index < end, base[index] == 0x20 { index &+= 1 }
            guard index < end, base[index] == UInt8(ascii: "\"") else { return end }
            index = endOfString(base, index, end)
        } while index < end && base[index] == UInt8(ascii: ",")
        return index < end && base[index] == UInt8(ascii: "]") ? index &+ 1 : end
    }

    private mutating func beginValue(_ byte: UInt8, _ index: Int) -> Int {
        guard depth >= 2 || byte == (depth == 0 ? UInt8(ascii: "[") : UInt8(ascii: "{")) else {
            fail(depth == 0 ? "no list of devices" : "something other than an object in the list of devices", at: index)
            return index
        }
        if depth == 2, member != nil { mark = index }
        switch byte {
        case UInt8(ascii: "\""):
            string = StringState()
            stringIsKey = false
            state = .string
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            guard depth < Self.depthLimit else {
                fail("more than \(Self.depthLimit) values within each other", at: index)
                return index
            }
            depth += 1
            objects = objects << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
            state = byte == UInt8(ascii: "{") ? .keyOrClose : .valueOrClose
        case UInt8(ascii: "t"): beginLiteral("true")
        case UInt8(ascii: "f"): beginLiteral("false")
        case UInt8(ascii: "n"): beginLiteral("null")
        default:
            guard let first = NumberState(first: byte) else {
                fail("no value where one is expected", at: index)
                return index
            }
            number = first
            state = .number
        }
        return index + 1
    }

    private mutating func beginLiteral(_ text: StaticString) {
        literal = text
        literalPlace = 1
        state = .literal
    }

    private mutating func goOnInString(
        _ chunk: UnsafeRawBufferPointer, _ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int
    ) -> Int {
        let close = string.findEnd(base, from: index, to: end)
        if let fault = string.fault {
            fail(fault.words, at: close)
            return close
        }
        guard close < end else { return end }
        if stringIsKey {
            state = .colon
            if depth == 2, let mark {
                member = members.member(finishing: UnsafeRawBufferPointer(rebasing: chunk[mark..<close]))
                self.mark = nil
            }
        } else {
            endValue(chunk, close + 1)
        }
        return close + 1
    }

    /// A value is over.
    private mutating func endValue(_ chunk: UnsafeRawBufferPointer, _ index: Int) {
        state = depth == 0 ? .end : .afterValue
        guard depth == 2, let mark, let member else { return }
        members.finish(member, UnsafeRawBufferPointer(rebasing: chunk[mark..<index]), at: mark)
        self.mark = nil
        self.member = nil
    }

    /// An array or object is over.
    private mutating func close(_ chunk: UnsafeRawBufferPointer, _ index: Int) -> Int {
        depth -= 1
        objects >>= 1
        if depth == 1 { endDevice(chunk, index) }
        endValue(chunk, index + 1)
        return index + 1
    }

    private mutating func endDevice(_ chunk: UnsafeRawBufferPointer, _ index: Int) {
        deviceCount += 1
        let wanted = wanted
        let isWanted = members.withValue(.hostname, in: chunk) { raw -> Bool? in
            guard raw[0] == UInt8(ascii: "\"") else { return nil }
            guard let wanted else { return true }
            let name = UnsafeRawBufferPointer(rebasing: raw[1..<(raw.count - 1)])
            guard name.contains(UInt8(ascii: "\\")) else { return wanted.contains(name) }
            return JSONText.unescaped(name).withUnsafeBytes { wanted.contains($0) }
        }
        guard let isWanted = isWanted ?? nil else {
            return fail("[\(deviceCount - 1)].hostname: is missing, or no text", at: index)
        }
        let showsRoles = members.withValue(.roles, in: chunk) { raw in
            raw[0] == UInt8(ascii: "[") && !JSONText.isEmptyArray(raw)
        }
        if showsRoles == true { devicesShowingRoles += 1 }
        if isWanted { keepDevice(chunk, index) }
        members.clear()
    }

    private mutating func keepDevice(_ chunk: UnsafeRawBufferPointer, _ index: Int) {
        var wrong: DeviceMember?
        func isNull(_ raw: UnsafeRawBufferPointer) -> Bool { raw[0] == UInt8(ascii: "n") }
        func text(_ member: DeviceMember) -> String? {
            members.withValue(member, in: chunk) { raw -> String? in
                if isNull(raw) { return nil }
                let text = JSONText.string(raw)
                if text == nil { wrong = member }
                return text
            } ?? nil
        }
        let roles = members.withValue(.roles, in: chunk) { raw -> [String]? in
            if isNull(raw) { return nil }
            let roles = JSONText.strings(raw)
            if roles == nil { wrong = .roles }
            return roles
        }
        let device = Device(
            hostname: text(.hostname) ?? "", category: text(.category), cluster: text(.cluster), ip: text(.ip),
            mac: text(.mac), network: text(.network), type: text(.type), roles: roles ?? nil)
        if let wrong {
            return fail(
                "[\(deviceCount - 1)].\(wrong.name): is of the wrong type, at the device \(quoted(device.hostname))",
                at: index)
        }
        matches.append(device)
    }

    private mutating func fail(_ words: String, at index: Int) {
        fault = "\(words) (byte \(offset + index))"
    }
}
