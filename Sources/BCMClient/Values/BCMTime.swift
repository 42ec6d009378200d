public import FoundationEssentials

/// A time as BCM states it: a moment, or a date and time of day without a zone.
///
/// BCM writes Unix seconds in one place, Unix milliseconds in another, and dates without a zone in a third. What can be known is kept;
/// nothing is guessed.
public struct BCMTime: Sendable, Hashable, CustomStringConvertible {
    /// The time as BCM wrote it.
    public let text: String
    /// The moment; nil when BCM did not say in which zone it is.
    public let date: Date?
    /// Date and time of day without a zone, the head node's presumably; nil when the moment is known, and when the text has
    /// another form.
    public let zoneless: ZonelessTime?

    /// A number counts Unix time: as milliseconds from 10^11 on (the year 1973), as seconds below, so that answers of either unit
    /// are read right.
    public init?(_ number: JSONNumber) {
        guard let value = number.double, abs(value) < 1e15 else { return nil }
        text = number.text
        date = Date(timeIntervalSince1970: abs(value) >= 1e11 ? value / 1000 : value)
        zoneless = nil
    }

    /// A text: a number, `2018/10/25 13:15:28`, `2018-10-25T13:15:28`, or something else, of which only the text is known.
    public init(_ text: String) {
        if let number = JSONNumber(text), let time = BCMTime(number) {
            self = time
        } else {
            self.text = text
            date = nil
            zoneless = ZonelessTime(text)
        }
    }

    /// The time as BCM wrote it.
    public var description: String { text }
}

/// A date and a time of day without a zone, such as `2018/10/25 13:15:28`.
public struct ZonelessTime: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The year.
    public let year: Int
    /// The month, 1 to 12.
    public let month: Int
    /// The day of the month, 1 to 31.
    public let day: Int
    /// The hour, 0 to 23.
    public let hour: Int
    /// The minute, 0 to 59.
    public let minute: Int
    /// The second, 0 to 60; whole seconds.
    public let second: Int

    /// Reads `2018/10/25 13:15:28`, also with `-` in the date and with `T` between the two. Nil for anything else, a zone at the
    /// end included.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 19, bytes[4] == bytes[7],
            bytes[4] == UInt8(ascii: "/") || bytes[4] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
        else { return nil }
        var fields: [Int] = []
        for range in [0..<4, 5..<7, 8..<10, 11..<13, 14..<16, 17..<19] {
            guard bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            fields.append(bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) })
        }
        (year, month, day) = (fields[0], fields[1], fields[2])
        (hour, minute, second) = (fields[3], fields[4], fields[5])
        guard (1...12).contains(month), (1...Self.days(inMonth: month, year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
    }

    /// The moment in a zone that is known from elsewhere.
    ///
    /// - Parameter offset: how many seconds the zone is ahead of UTC at that time.
    public func date(secondsFromUTC offset: Int) -> Date {
        // Days since 1970 in the Gregorian calendar, years beginning in March.
        let (shiftedYear, shiftedMonth) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
        let days = 365 * shiftedYear + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
        let total = days + (153 * shiftedMonth + 2) / 5 + day - 1 - 719_468
        return Date(timeIntervalSince1970: Double(total * 86_400 + hour * 3600 + minute * 60 + second - offset))
    }

    private static func days(inMonth month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var fields: [Int] { [year, month, day, hour, minute, second] }

    /// Whether the left one is earlier, in one zone.
    public static func < (left: ZonelessTime, right: ZonelessTime) -> Bool {
        left.fields.lexicographicallyPrecedes(right.fields)
    }

    /// `2018/10/25 13:15:28`, as BCM writes it.
    public var description: String {
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = "\(value)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))/\(padded(month, 2))/\(padded(day, 2)) "
            + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    }
}

extension JSONPlace {
    /// A time: a number or a text.
    func time() throws(JSONError) -> BCMTime {
        switch value {
        case .text(let text): return BCMTime(text)
        case .number(let number):
            guard let time = BCMTime(number) else {
                throw error("expected a time, found \(legible(number.text, limit: 40))")
            }
            return time
        default: throw error("expected text or number, found \(value.kind)")
        }
    }

    /// Unix seconds.
    func unixSeconds() throws(JSONError) -> Date {
        let seconds = try double()
        guard abs(seconds) < 1e12 else { throw error("expected Unix seconds, found \(value.excerpt)") }
        return Date(timeIntervalSince1970: seconds)
    }
}
