/// The first byte at or after an index that a JSON string does not hold as itself: a quote, a backslash, a control
/// character or a byte beyond ASCII. The end when there is none.
///
/// Eight bytes are looked at together. Each of the four terms sets the high bit of a byte that it is about, and may set
/// it wrongly only in bytes after one that it is about (by a borrow), so that the lowest high bit is always right.
@inline(__always)
func skipPlain(_ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let highs: UInt64 = 0x8080_8080_8080_8080
    let quotes: UInt64 = 0x2222_2222_2222_2222
    let backslashes: UInt64 = 0x5c5c_5c5c_5c5c_5c5c
    let spaces: UInt64 = 0x2020_2020_2020_2020
    let raw = UnsafeRawPointer(base)
    var index = start
    while index &+ 8 <= end {
        let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        let hits = ((word ^ quotes) &- ones) | ((word ^ backslashes) &- ones) | (word &- spaces) | word
        let found = hits & highs
        if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
        index &+= 8
    }
    while index < end {
        let byte = base[index]
        if byte == 0x22 || byte == 0x5c || byte < 0x20 || byte >= 0x80 { return index }
        index &+= 1
    }
    return end
}
