import BCMClient

extension ValidationPage {
    /// What the script knows, as JSON that can stand in a script element.
    ///
    /// ```json
    /// {"hosts": [["dgx-01", "DGX node"]],
    ///  "checks": [["1.node_exporter", "1. Services", "title", "expected", ["command"]]],
    ///  "texts": ["answers with # families"],
    ///  "verdicts": [[4, 0, -1, "214"]],
    ///  "cells": [[0]]}
    /// ```
    ///
    /// A verdict is the state's rank, the texts of what was seen and of the advice (-1 for none), and what to put where a
    /// text has a gap (U+007F, which no shown text holds). Host names and numbers are such gaps: verdicts of many hosts
    /// differ in little else, so each text is there once. A cell of -1 does not apply.
    var data: String {
        var pool = Pool()
        var rows: [JSONValue] = []
        for (row, host) in matrix.hosts.enumerated() {
            rows.append(
                .array(matrix.cells[row].map { .number(JSONNumber($0.map { pool.index(of: $0, host.name) } ?? -1)) }))
        }
        func shown(_ text: String) -> JSONValue { .text(Markdown.visible(text)) }
        let value: JSONValue = [
            "hosts": .array(matrix.hosts.map { [shown($0.name), shown($0.kinds.joined(separator: ", "))] }),
            "checks": .array(
                matrix.checks.map { check in
                    [
                        shown(check.id), .text("\(check.group). \(ValidationGroup.title(check.group))"),
                        shown(check.title), shown(check.expected), .array(check.byHand.map(shown)),
                    ]
                }),
            "texts": .array(pool.texts.map { .text($0) }),
            "verdicts": .array(pool.verdicts),
            "cells": .array(rows),
        ]
        // Within a script element "<" could end it; in JSON it can only stand in a string.
        return Self.compact(value.description).replacing("<", with: "\\u003c")
    }

    /// JSON without the spaces after commas and colons.
    private static func compact(_ json: String) -> String {
        var result: [UInt8] = []
        var (isText, isEscaped) = (false, false)
        for byte in json.utf8 {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
            } else if byte == UInt8(ascii: " ") {
                continue
            } else if byte == UInt8(ascii: "\"") {
                isText = true
            }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Texts and verdicts, each once.
    private struct Pool {
        private(set) var texts: [String] = []
        private(set) var verdicts: [JSONValue] = []
        private var textPlaces: [String: Int] = [:]
        private var verdictPlaces: [JSONValue: Int] = [:]
        private var known: [Known: Int] = [:]

        private struct Known: Hashable {
            let verdict: ValidationVerdict
            let namesHost: String?
        }

        mutating func index(of verdict: ValidationVerdict, _ host: String) -> Int {
            let names = verdict.seen.utf8.count > 0 && ValidationProblem.general(verdict.seen, host) != verdict.seen
            let advises = verdict.advice.map { ValidationProblem.general($0, host) != $0 } ?? false
            let key = Known(verdict: verdict, namesHost: names || advises ? host : nil)
            if let place = known[key] { return place }
            var gaps: [JSONValue] = []
            let seen = place(of: verdict.seen, host, &gaps)
            let advice = verdict.advice.map { place(of: $0, host, &gaps) } ?? -1
            let value = JSONValue.array(
                [
                    .number(JSONNumber(verdict.state.rank)), .number(JSONNumber(seen)), .number(JSONNumber(advice)),
                ] + gaps)
            let index = verdictPlaces[value] ?? verdicts.count
            if index == verdicts.count {
                verdicts.append(value)
                verdictPlaces[value] = index
            }
            known[key] = index
            return index
        }

        private mutating func place(of text: String, _ host: String, _ gaps: inout [JSONValue]) -> Int {
            // What comes from hosts has no U+007F left in it once it is visible.
            let general = Self.mark(Markdown.visible(text), host, &gaps)
            if let place = textPlaces[general] { return place }
            texts.append(general)
            textPlaces[general] = texts.count - 1
            return texts.count - 1
        }

        /// The text with gaps for the host's name (the gap's value is 0, the number) and for runs of digits (texts).
        private static func mark(_ text: String, _ host: String, _ gaps: inout [JSONValue]) -> String {
            let bytes = Array(text.utf8)
            let name = Array(Markdown.visible(host).utf8)
            var result: [UInt8] = []
            var position = 0
            while position < bytes.count {
                let end = position + name.count
                if !name.isEmpty, end <= bytes.count, bytes[position] == name[0],
                    bytes[position..<end].elementsEqual(name)
                {
                    gaps.append(0)
                    result.append(0x7F)
                    position = end
                } else if isDigit(bytes[position]) {
                    var last = position
                    while last < bytes.count, isDigit(bytes[last]) { last += 1 }
                    gaps.append(.text(String(decoding: bytes[position..<last], as: UTF8.self)))
                    result.append(0x7F)
                    position = last
                } else {
                    result.append(bytes[position])
                    position += 1
                }
            }
            return String(decoding: result, as: UTF8.self)
        }

        private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    }
}
