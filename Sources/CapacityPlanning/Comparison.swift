/// What a Prometheus that exists measures of itself, set against an estimate.
package struct Comparison: Sendable, Hashable {
    /// What was measured.
    package struct Measured: Sendable, Hashable {
        package var headSeries: Double
        /// Samples stored each second.
        package var samplesPerSecond: Double?
        package var blockBytes: Double
        /// Seconds from the oldest sample until now; nil where there is none.
        package var age: Double?
        /// The retention by time, in days; nil where it cannot be told.
        package var retention: Double?
        /// The longest that blocks may grow, in bytes; nil for no limit.
        package var sizeLimit: Double?
        /// Bytes of chunks for a sample, as compaction saw them; nil before the first one.
        package var bytesPerSample: Double?
        /// Samples of one round of scrapes, by job.
        package var samplesByJob: [String: Double] = [:]

        package init(headSeries: Double, blockBytes: Double) {
            self.headSeries = headSeries
            self.blockBytes = blockBytes
        }
    }

    package let estimate: CapacityEstimate
    package let measured: Measured

    package init(_ estimate: CapacityEstimate, _ measured: Measured) {
        self.estimate = estimate
        self.measured = measured
    }

    /// Blocks as they will be at the end of the estimate's retention, when they go on growing as so far; nil where too
    /// little is stored to tell: the first block is written after two to three hours.
    package var blockBytesAtRetention: Double? {
        guard let age = measured.age, age >= 6 * 3600, measured.blockBytes > 0 else { return nil }
        let kept = min(age, (measured.retention ?? .infinity) * 86_400)
        return measured.blockBytes / kept * estimate.shape.retention * 86_400
    }

    /// What differs, and why, in words.
    package var explanations: [String] {
        var texts: [String] = []
        func ratio(_ measured: Double, _ estimated: Double) -> Double {
            estimated > 0 ? measured / estimated : .infinity
        }
        let series = ratio(measured.headSeries, estimate.headSeries)
        if series > 1.2 {
            texts.append(
                "there are \(Quantity.decimal(series)) times as many series as estimated: other jobs are scraped here, "
                    + "nodes give more than \(Quantity.count(estimate.shape.seriesPerNode)), or more jobs begin")
        } else if series < 0.8 {
            texts.append(
                "there are fewer series than estimated (\(Quantity.decimal(series)) of it): nodes are not scraped yet or "
                    + "without the role, or give fewer than \(Quantity.count(estimate.shape.seriesPerNode))")
        } else {
            texts.append("series are as estimated, within a fifth")
        }
        if let rate = measured.samplesPerSecond, rate > 0 {
            let active = rate * estimate.shape.interval
            if measured.headSeries > 1.3 * active {
                texts.append(
                    "of \(Quantity.count(measured.headSeries)) series in memory only some \(Quantity.count(active)) get samples "
                        + "each \(Quantity.decimal(estimate.shape.interval)) s: the rest belong to jobs that ended, or the interval "
                        + "is longer")
            } else if active > 1.3 * measured.headSeries {
                texts.append(
                    "samples come faster than each \(Quantity.decimal(estimate.shape.interval)) s: the interval is shorter"
                )
            }
        }
        if let bytes = measured.bytesPerSample {
            texts.append(
                "a sample takes \(Quantity.decimal(bytes)) bytes in chunks; the estimate has "
                    + "\(Quantity.decimal(estimatedBytesPerSample)), with the index and a margin")
        }
        if let grown = blockBytesAtRetention {
            texts.append(
                "at the pace so far the blocks take \(Quantity.bytes(grown)) after "
                    + "\(Quantity.count(estimate.shape.retention)) days; the estimate is \(Quantity.bytes(estimate.blockBytes))"
            )
        } else {
            texts.append("too little is stored to tell how the blocks grow: come back after a day")
        }
        if let retention = measured.retention, abs(retention - estimate.shape.retention) > 0.01 {
            texts.append(
                "it keeps samples for \(Quantity.decimal(retention)) days, the estimate is for "
                    + "\(Quantity.decimal(estimate.shape.retention))")
        }
        if let limit = measured.sizeLimit, limit < estimate.blockBytes {
            texts.append(
                "its size limit (\(Quantity.bytes(limit))) is reached first: older samples go then, whatever the retention"
            )
        }
        return texts
    }

    /// Bytes for a sample that the estimate comes to.
    package var estimatedBytesPerSample: Double {
        let samples = estimate.samplesPerSecond * estimate.shape.retention * 86_400
        return samples > 0 ? estimate.blockBytes / samples : 0
    }

    /// Reads a duration as Prometheus's flags show it (`15d`, `1y`, `2h30m`, `0s`), in days; nil for what is none.
    package static func days(_ text: String) -> Double? {
        let units: [(String, Double)] = [
            ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("d", 86_400), ("w", 604_800), ("y", 31_536_000),
        ]
        var rest = text[...], seconds = 0.0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard let number = Double(digits), let unit = units.first(where: { $0.0 == letters }) else { return nil }
            seconds += number * unit.1
        }
        return seconds / 86_400
    }

    /// Reads a size as Prometheus's flags show it (`512MB`, `0B`), in bytes: its units are binary. Nil for none and no limit.
    package static func size(_ text: String) -> Double? {
        let units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"], binary = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        let digits = text.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
        let unit = String(text.dropFirst(digits.count))
        guard let number = Double(digits), number > 0,
            let power = units.firstIndex(of: unit) ?? binary.firstIndex(of: unit)
        else { return nil }
        return (0..<power).reduce(number) { value, _ in value * 1024 }
    }
}
